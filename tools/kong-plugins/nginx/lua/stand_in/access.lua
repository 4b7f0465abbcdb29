-- Kong's access phase: the route, its plugins, and what nginx needs to proxy. A plugin that throws is answered with 500, as Kong
-- 3.9 does it (execute_collecting_plugins_iterator in kong/init.lua): each runs in a coroutine, and none after one that answered.
local normalize = require "stand_in.normalize"
local response = require "stand_in.response"
local Access = { routes = {} }

local function route_of(path)
  for _, route in ipairs(Access.routes) do
    if string.sub(path, 1, #route.path) == route.path then return route end
  end
end

local function run(plugins)
  local context = ngx.ctx
  context.delay_response = true
  for _, plugin in ipairs(plugins) do
    local thread = coroutine.create(plugin.handler.access)
    local ran, err = coroutine.resume(thread, plugin.handler, plugin.conf)
    if not ran then
      ngx.log(ngx.ERR, plugin.name, ": ", err)
      local body = { message = "An unexpected error occurred", request_id = ngx.var.request_id }
      context.delayed_response = { 500, body }
    end
    if context.delayed_response then return response.flush() end
  end
  context.delay_response = nil
end

local function prepare(path, upstream)
  local var = ngx.var
  var.upstream_uri = normalize.escape(path)
  var.upstream = upstream
  var.upstream_x_forwarded_for = var.http_x_forwarded_for and var.http_x_forwarded_for .. ", " .. var.remote_addr or var.remote_addr
  var.upstream_x_forwarded_path = string.match(var.request_uri, "^[^?]*")
end

function Access.run()
  local var = ngx.var
  local path = normalize.path((string.gsub(string.match(var.request_uri, "^[^?#]*"), "^%a+://[^/]*", "")))
  local route = route_of(path)
  if route == nil then return response.error(404, "no Route matched with those values") end
  prepare(path, route.upstream)
  run(route.plugins)
  if var.args and var.args ~= "" then
    var.upstream_uri = var.upstream_uri .. "?" .. var.args
  elseif string.sub(var.request_uri, -1) == "?" then
    var.upstream_uri = var.upstream_uri .. "?"
  end
end

--- What nginx refuses itself, in Kong's form.
function Access.error_page()
  local messages = { [400] = "Bad request", [414] = "URI too long", [494] = "Request header or cookie too large" }
  return response.error(ngx.status, messages[ngx.status] or "An unexpected error occurred")
end

return Access
