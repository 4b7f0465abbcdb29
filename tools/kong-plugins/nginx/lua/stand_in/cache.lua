-- kong.cache:get with the semantics of Kong's mlcache: an LRU of the worker, a shared dictionary below it that goes on holding what
-- has expired, and one callback at a time for a key. An expired value comes back to life when the callback answers an error, and
-- (the less known way) when waiting for another's callback took too long.
local cjson = require "cjson.safe"
local lock = require "stand_in.lock"
local faults = require "stand_in.faults"
local lru = require("resty.lrucache").new(10000)

local Cache = { lock_timeout = 5, resurrect_ttl = 30 }

local function check(options, name)
  local value = options[name]
  if value ~= nil and (type(value) ~= "number" or value < 0) then error("opts." .. name .. " must be a number >= 0", 3) end
  return value
end

-- 0 is for ever, in both.
local function remember(key, value, ttl)
  local dict = ngx.shared.kong_db_cache
  assert(dict:set(key, cjson.encode({ value = value, ttl = ttl, at = ngx.now() }), ttl))
  lru:set(key, value, ttl ~= 0 and ttl or nil)
end

local function look_up(key)
  local text, _, stale = ngx.shared.kong_db_cache:get_stale(key)
  if text == nil then return nil end
  local entry = cjson.decode(text)
  if stale then return entry.value, true end
  local left = entry.ttl == 0 and 0 or entry.ttl - (ngx.now() - entry.at)
  if entry.ttl == 0 or left > 0 then lru:set(key, entry.value, left ~= 0 and left or nil) end
  return entry.value, false
end

local function run(key, expired, ttl, resurrect_ttl, callback, ...)
  local taken, err = lock.take(key, Cache.lock_timeout)
  if not taken and err ~= "timeout" then return nil, "could not acquire callback lock: " .. err end
  local now, stale = look_up(key)
  if now ~= nil and not stale then
    if taken then lock.release(key) end
    return now
  end
  if not taken then
    if expired == nil or resurrect_ttl == nil then return nil, "could not acquire callback lock: timeout" end
    return expired
  end
  local ran, value, failure, own_ttl = xpcall(callback, debug.traceback, ...)
  if not ran then
    lock.release(key)
    return nil, "callback threw an error: " .. tostring(value)
  end
  if failure ~= nil then
    if expired ~= nil and resurrect_ttl ~= nil then
      remember(key, expired, resurrect_ttl)
      value, failure = expired, nil
    end
    lock.release(key)
    return value, failure
  end
  if value == nil then error("the stand-in caches no nil") end
  if type(own_ttl) ~= "number" then own_ttl = ttl end
  -- Less than 0 is not at all.
  if own_ttl >= 0 then remember(key, value, own_ttl) end
  lock.release(key)
  return value
end

--- `kong.cache:get(key, options, callback, ...)`: the value, or nil and why there is none.
function Cache:get(key, options, callback, ...)
  if type(key) ~= "string" then error("key must be a string", 2) end
  if faults.raised("cache-throws") then error("no shared memory") end
  if faults.raised("cache-fails") then return nil, "failed to get from node cache: no shared memory" end
  options = options or {}
  -- A DB-less Kong remembers for ever what nobody gives a time.
  local ttl = check(options, "ttl") or 0
  local resurrect_ttl = check(options, "resurrect_ttl") or Cache.resurrect_ttl
  if type(callback) ~= "function" then error("callback must be a function", 2) end
  local value = lru:get(key)
  if value ~= nil then return value end
  local expired, stale = look_up(key)
  if expired ~= nil and not stale then return expired end
  local found, err = run(key, expired, ttl, resurrect_ttl, callback, ...)
  if err ~= nil then return nil, "failed to get from node cache: " .. tostring(err) end
  return found
end

return Cache
