-- kong.cache:get and renew with the semantics of Kong's mlcache: an LRU cache per worker, a shared dictionary below it that keeps expired
-- values, and one callback at a time per key. An expired value comes back if the callback returns an error and (which is less known)
-- if waiting for another request's callback took too long.
local cjson = require "cjson.safe"
local faults = require "faults"
local lru = require("resty.lrucache").new(10000)

local Cache = { lock_timeout = 5, resurrect_ttl = 30 }

-- As resty.lock with the options of Kong's cache: checks again after 1, 2, 4 … 500 ms, and gives up after `timeout`.
local function take_lock(key, timeout)
  local locks, step, left = ngx.shared.kong_locks, 0.001, timeout
  while true do
    local added, err = locks:add(key, true, 10)
    if added then return true end
    if err ~= "exists" then return nil, err end
    if left <= 0 then return nil, "timeout" end
    ngx.sleep(step)
    left = left - step
    step = math.min(step * 2, 0.5, math.max(left, 0.001))
  end
end

local function release_lock(key) ngx.shared.kong_locks:delete(key) end

local function check(options, name)
  local value = options[name]
  if value ~= nil and (type(value) ~= "number" or value < 0) then error("opts." .. name .. " must be a number >= 0", 3) end
  return value
end

-- A ttl of 0 means forever, in both.
local function remember(key, value, ttl, version)
  local dict = ngx.shared.kong_db_cache
  assert(dict:set(key, cjson.encode({ value = value, ttl = ttl, at = ngx.now(), version = version }), ttl))
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
  local taken, err = take_lock(key, Cache.lock_timeout)
  if not taken and err ~= "timeout" then return nil, "could not acquire callback lock: " .. err end
  local now, stale = look_up(key)
  if now ~= nil and not stale then
    if taken then release_lock(key) end
    return now
  end
  if not taken then
    if expired == nil or resurrect_ttl == nil then return nil, "could not acquire callback lock: timeout" end
    return expired
  end
  local ran, value, failure, own_ttl = xpcall(callback, debug.traceback, ...)
  if not ran then
    release_lock(key)
    return nil, "callback threw an error: " .. tostring(value)
  end
  if failure ~= nil then
    if expired ~= nil and resurrect_ttl ~= nil then
      remember(key, expired, resurrect_ttl)
      value, failure = expired, nil
    end
    release_lock(key)
    return value, failure
  end
  if value == nil then error("the stand-in does not cache nil") end
  if type(own_ttl) ~= "number" then own_ttl = ttl end
  -- Below 0 means not at all.
  if own_ttl >= 0 then remember(key, value, own_ttl) end
  release_lock(key)
  return value
end

--- `kong.cache:get(key, options, callback, ...)`: returns the value, or nil and the reason.
function Cache:get(key, options, callback, ...)
  if type(key) ~= "string" then error("key must be a string", 2) end
  if faults.on["cache-throws"] then error("no shared memory") end
  if faults.on["cache-fails"] then return nil, "failed to get from node cache: no shared memory" end
  options = options or {}
  -- Without a ttl, a DB-less Kong keeps a value forever.
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

-- Kong counts the values under a key that were renewed; a request that waited for another's renewal returns its value.
local function version_of(key)
  local text, _, stale = ngx.shared.kong_db_cache:get_stale(key)
  if text == nil then return 0 end
  local entry = cjson.decode(text)
  return entry.version or 0, entry.value, stale
end

--- `kong.cache:renew(key, options, callback, ...)`: calls the callback although there is a value.
function Cache:renew(key, _, callback, ...)
  local before = version_of(key)
  local taken, err = take_lock(key, Cache.lock_timeout)
  local prefix = "failed to renew key in node cache: "
  if not taken and err ~= "timeout" then return nil, prefix .. err end
  local after, value, stale = version_of(key)
  if before ~= after and not stale then
    if taken then release_lock(key) end
    return value
  end
  if not taken then return nil, prefix .. "could not acquire callback lock: timeout" end
  local ran, made, failure, ttl = xpcall(callback, debug.traceback, ...)
  if ran and failure == nil then remember(key, made, ttl, after + 1) end
  release_lock(key)
  if not ran then return nil, prefix .. "callback threw an error: " .. tostring(made) end
  return made, failure
end

return Cache
