local typedefs = require "kong.db.schema.typedefs"

return {
  name = "strip-prefix",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = { type = "record", fields = {
      { prefix = { type = "string", required = true, match = "^/[%w._~/-]*[%w._~-]$" } },
    } } },
  },
}
