-- Reads the services, routes and plugins of a kong.yml in JSON: what each route runs, most specific entry first, in Kong's order.
local cjson = require "cjson.safe"

local function completed(fields, config, place)
  local known = {}
  for _, field in ipairs(fields) do
    local name, definition = next(field)
    known[name] = true
    if config[name] == nil then config[name] = definition.default end
    if config[name] == nil and definition.required then error(place .. "." .. name .. " is required") end
  end
  for name in pairs(config) do
    if not known[name] then error(place .. "." .. name .. " is unknown") end
  end
  return config
end

local function fields_of_config(schema)
  for _, field in ipairs(schema.fields) do
    if field.config ~= nil then return field.config.fields end
  end
end

local function plugin_of(entry)
  local handler = require("kong.plugins." .. entry.name .. ".handler")
  local schema = require("kong.plugins." .. entry.name .. ".schema")
  return { name = entry.name, handler = handler, conf = completed(fields_of_config(schema), entry.config or {}, entry.name) }
end

local function plugins_of(...)
  local chosen, plugins = {}, {}
  for _, level in ipairs({ ... }) do
    for _, entry in ipairs(level) do
      if not chosen[entry.name] then
        chosen[entry.name] = true
        table.insert(plugins, plugin_of(entry))
      end
    end
  end
  table.sort(plugins, function(a, b) return a.handler.PRIORITY > b.handler.PRIORITY end)
  return plugins
end

local Config = {}

--- Returns routes by plain prefix, the longest first, each with its upstream (an address) and plugins, and the plugins of all routes.
function Config.read(file)
  local handle = assert(io.open(file))
  local config = assert(cjson.decode(handle:read("*a")))
  handle:close()
  local routes = {}
  for _, service in ipairs(config.services) do
    for _, route in ipairs(service.routes) do
      if route.methods or route.hosts or route.headers then error("the stand-in routes by path only") end
      for _, path in ipairs(route.paths) do
        if string.sub(path, 1, 1) ~= "/" or route.strip_path ~= false then error("the stand-in supports plain paths only, unstripped") end
        table.insert(routes, {
          path = path,
          upstream = string.match(service.url, "^http://([%d.]+:%d+)$") or error("the stand-in supports addresses only"),
          plugins = plugins_of(route.plugins or {}, service.plugins or {}, config.plugins or {}),
        })
      end
    end
  end
  table.sort(routes, function(a, b) return #a.path > #b.path end)
  return routes, plugins_of(config.plugins or {})
end

return Config
