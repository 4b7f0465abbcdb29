local typedefs = require "kong.db.schema.typedefs"

local seconds = function(default)
  return { type = "number", required = true, default = default, between = { 0, 3600 } }
end

return {
  name = "apikey-auth",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      { verify_url = typedefs.url({ required = true }) },
      { verify_secret = { type = "string", required = false, referenceable = true, encrypted = true } },
      { permission = { type = "string", required = false, len_min = 1 } },
      { timeout_ms = { type = "integer", required = true, default = 2000, between = { 1, 60000 } } },
      { cache_ttl = seconds(5) },
      { negative_cache_ttl = seconds(1) },
    } } },
  },
}
