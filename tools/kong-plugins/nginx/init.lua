-- Runs before the first request: replaces the modules of Kong that the plugins use, and reads the routes.
require "resty.core"
local faults = require "faults"
local openssl = require "openssl"
local phases = require "phases"

-- Kong's field types: only the defaults that a plugin adds to them are needed.
local field = setmetatable({}, { __call = function(_, more) return more or {} end })

package.loaded["kong.db.schema.typedefs"] = setmetatable({}, { __index = function() return field end })
package.loaded["resty.http"] = require "http"
package.loaded["resty.openssl.digest"] = openssl.Digest
package.loaded["resty.openssl.hmac"] = openssl.Hmac
package.loaded["resty.string"] = {
  to_hex = function(text)
    return (string.gsub(text, ".", function(char) return string.format("%02x", string.byte(char)) end))
  end,
}

local function logger(level)
  return function(...)
    if faults.on["log-throws"] then error("the log is full") end
    ngx.log(level, ...)
  end
end

return function(file, lock_timeout)
  -- The part of Kong's plugin development kit that the plugins use. Anything else fails, as a mistake in a plugin would.
  kong = {
    log = { warn = logger(ngx.WARN), err = logger(ngx.ERR) },
    response = { exit = phases.exit },
    cache = require "cache",
  }
  kong.cache.lock_timeout = lock_timeout
  phases.routes, phases.global = require("config").read(file)
end
