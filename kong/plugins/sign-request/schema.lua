local typedefs = require "kong.db.schema.typedefs"

return {
  name = "sign-request",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      -- Absent or empty, for example if a reference leads nowhere: requests are not signed, and services refuse them in production.
      { secret = { type = "string", required = false, referenceable = true, encrypted = true } },
    } } },
  },
}
