-- Kong's rewrite and access phases: finds the route, runs its plugins, and sets what nginx needs to proxy. In the access phase a plugin
-- that throws is answered with 500, as in Kong 3.9 (execute_collecting_plugins_iterator in kong/init.lua). Each plugin runs in a
-- coroutine, and none runs after one that answered. In the rewrite phase, in which only global plugins run, Kong leaves an error to
-- nginx, which answers 500.
local cjson = require "cjson.safe"

local Phases = { routes = {}, global = {} }

local RESERVED = "[!*'();:@&=+$,/?%%#%[%]]"

local function decode(hex)
  local char = string.char(tonumber(hex, 16))
  return string.find(char, RESERVED) and "%" .. string.upper(hex) or char
end

-- The form of a path that Kong routes by and forwards: unreserved characters are decoded, dot segments and doubled slashes removed.
-- nginx has already refused malformed paths, and those that climb above the root.
local function normalized(path)
  local decoded, kept = string.gsub(path, "%%(%x%x)", decode), {}
  for segment in string.gmatch(decoded, "[^/]+") do
    if segment == ".." then table.remove(kept) elseif segment ~= "." then table.insert(kept, segment) end
  end
  local ended = string.find(decoded, "/%.?%.?$") and #kept > 0
  return "/" .. table.concat(kept, "/") .. (ended and "/" or "")
end

-- Encodes what is not allowed in a request line.
local function escaped(path)
  return (string.gsub(path, "[^!#$&'()*+,/:;=?@%[%]%w%-_.~%%]", function(char)
    return string.format("%%%02X", string.byte(char))
  end))
end

local function send(status, body, headers)
  ngx.status = status
  if type(body) == "table" then
    body = assert(cjson.encode(body))
    ngx.header["content-type"] = "application/json; charset=utf-8"
  end
  for name, value in pairs(headers or {}) do ngx.header[name] = value end
  ngx.header["x-kong-request-id"] = ngx.var.kong_request_id
  ngx.header["x-kong-response-latency"] = "0"
  ngx.header["content-length"] = #(body or "")
  ngx.print(body or "")
  return ngx.exit(status)
end

--- kong.response.exit. While plugins run in the access phase, the answer is kept, and the plugin that gave it is suspended for good.
function Phases.exit(status, body, headers)
  if type(status) ~= "number" or status < 100 or status > 599 then error("code must be a number between 100 and 599", 2) end
  if body ~= nil and type(body) ~= "string" and type(body) ~= "table" then error("body must be a nil, string or table", 2) end
  for name, value in pairs(headers or {}) do
    if type(name) ~= "string" or type(value) == "table" then error("invalid header " .. tostring(name), 2) end
  end
  local context = ngx.ctx
  if not context.delay_response or context.delayed_response then return send(status, body, headers) end
  context.delayed_response = { status, body, headers }
  coroutine.yield()
end

local function fail(status, message)
  return Phases.exit(status, { message = message, request_id = ngx.var.kong_request_id })
end

local function run(plugins)
  local context = ngx.ctx
  context.delay_response = true
  for _, plugin in ipairs(plugins) do
    local thread = coroutine.create(plugin.handler.access)
    local ran, err = coroutine.resume(thread, plugin.handler, plugin.conf)
    if not ran then
      ngx.log(ngx.ERR, plugin.name, ": ", err)
      local body = { message = "An unexpected error occurred", request_id = ngx.var.kong_request_id }
      context.delayed_response = { 500, body }
    end
    if context.delayed_response then
      context.delay_response = nil
      return send(unpack(context.delayed_response, 1, 3))
    end
  end
  context.delay_response = nil
end

local function prepare(path, upstream)
  local var = ngx.var
  var.upstream_uri = escaped(path)
  var.upstream = upstream
  var.upstream_x_forwarded_for = var.http_x_forwarded_for and var.http_x_forwarded_for .. ", " .. var.remote_addr or var.remote_addr
  var.upstream_x_forwarded_path = string.match(var.request_uri, "^[^?]*")
end

-- What Kong does after the plugins: fields that a client names in Connection belong to its connection with Kong.
local function clear_named_fields()
  local connection = ngx.req.get_headers(0)["connection"] or {}
  for _, value in ipairs(type(connection) == "table" and connection or { connection }) do
    for name in string.gmatch(string.lower(value), "[^%s,]+") do
      if name ~= "close" and name ~= "keep-alive" then ngx.req.clear_header(name) end
    end
  end
end

local function route_of(path)
  for _, route in ipairs(Phases.routes) do
    if string.sub(path, 1, #route.path) == route.path then return route end
  end
end

function Phases.rewrite()
  for _, plugin in ipairs(Phases.global) do
    if plugin.handler.rewrite then plugin.handler:rewrite(plugin.conf) end
  end
end

function Phases.access()
  local var = ngx.var
  local path = normalized((string.gsub(string.match(var.request_uri, "^[^?#]*"), "^%a+://[^/]*", "")))
  local route = route_of(path)
  if route == nil then return fail(404, "no Route matched with those values") end
  prepare(path, route.upstream)
  run(route.plugins)
  clear_named_fields()
  if var.args and var.args ~= "" then
    var.upstream_uri = var.upstream_uri .. "?" .. var.args
  elseif string.sub(var.request_uri, -1) == "?" then
    var.upstream_uri = var.upstream_uri .. "?"
  end
end

--- Gives nginx's own refusals Kong's form, which is plain text unless the client accepts something else.
function Phases.error_page()
  local messages = { [400] = "Bad request", [414] = "URI too long", [494] = "Request header or cookie too large" }
  local message = messages[ngx.status] or "An unexpected error occurred"
  local body = message .. "\nrequest_id: " .. ngx.var.kong_request_id .. "\n"
  return Phases.exit(ngx.status, body, { ["content-type"] = "text/plain; charset=utf-8" })
end

return Phases
