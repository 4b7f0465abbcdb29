local isPathPattern = require("kong.plugins.apikey-auth.core").isPathPattern
local typedefs = require "kong.db.schema.typedefs"

local seconds = function(default)
  return { type = "number", required = true, default = default, between = { 0, 3600 } }
end

local path_pattern = {
  type = "string",
  custom_validator = function(value)
    if isPathPattern(value) then return true end
    return nil, "must look like /health, /public/* or /public*"
  end,
}

return {
  name = "apikey-auth",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      -- Tried in turn until one answers, all within timeout_ms.
      { verify_urls = { type = "array", required = true, len_min = 1, elements = typedefs.url } },
      { verify_secret = { type = "string", required = false, referenceable = true, encrypted = true } },
      { permission = { type = "string", required = false, len_min = 1 } },
      { timeout_ms = { type = "integer", required = true, default = 2000, between = { 1, 60000 } } },
      { cache_ttl = seconds(5) },
      { negative_cache_ttl = seconds(1) },
      { anonymous_paths = { type = "array", required = true, default = {}, elements = path_pattern } },
      { key_names = { type = "array", required = true, len_min = 1, default = { "x-api-key" },
        elements = { type = "string", match = "^[a-z][a-z0-9-]*$" } } },
      { hide_credentials = { type = "boolean", required = true, default = true } },
    } } },
  },
}
