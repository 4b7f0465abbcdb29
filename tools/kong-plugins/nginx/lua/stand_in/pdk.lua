-- The part of Kong's plugin development kit that the plugins use. What is not here fails, as a mistake in a plugin would.
local faults = require "stand_in.faults"

local function logger(level)
  return function(...)
    if faults.raised("log-throws") then error("the log is full") end
    ngx.log(level, ...)
  end
end

local Pdk = {
  version = "3.9.1",
  log = {
    debug = logger(ngx.DEBUG),
    info = logger(ngx.INFO),
    notice = logger(ngx.NOTICE),
    warn = logger(ngx.WARN),
    err = logger(ngx.ERR),
  },
  response = require "stand_in.response",
  cache = require "stand_in.cache",
}

return Pdk
