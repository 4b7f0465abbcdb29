-- Kong's rewrite and access phases: the route, its plugins, and what nginx needs to proxy. In the access phase a plugin that throws is
-- answered with 500, as Kong 3.9 does it (execute_collecting_plugins_iterator in kong/init.lua): each runs in a coroutine, and none
-- after one that answered. In the rewrite phase, in which only global plugins run, Kong leaves an error to nginx, which answers 500.
local normalize = require "stand_in.normalize"
local response = require "stand_in.response"

local Phases = { routes = {}, global = {} }

local function route_of(path)
  for _, route in ipairs(Phases.routes) do
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

function Phases.rewrite()
  for _, plugin in ipairs(Phases.global) do
    if plugin.handler.rewrite then plugin.handler:rewrite(plugin.conf) end
  end
end

function Phases.access()
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
function Phases.error_page()
  local messages = { [400] = "Bad request", [414] = "URI too long", [494] = "Request header or cookie too large" }
  return response.error(ngx.status, messages[ngx.status] or "An unexpected error occurred")
end

return Phases
