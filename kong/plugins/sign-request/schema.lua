local typedefs = require "kong.db.schema.typedefs"

return {
  name = "sign-request",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      -- Absent or empty, as where a reference leads nowhere: unsigned, which services refuse in production.
      { secret = { type = "string", required = false, referenceable = true, encrypted = true } },
    } } },
  },
}
