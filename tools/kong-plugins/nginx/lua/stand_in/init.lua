-- Before the first request: the global that plugins know, the routes, and how long a lock may be waited for.
require "resty.core"

return function(file, lock_timeout)
  kong = require "stand_in.pdk"
  kong.cache.lock_timeout = lock_timeout
  local phases = require "stand_in.phases"
  phases.routes, phases.global = require("stand_in.config").read(file)
end
