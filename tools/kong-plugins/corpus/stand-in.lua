-- Plays cases against the plugins as Kong would run them: luajit stand-in.lua < cases.lua > outcomes.json
-- Replaces the small part of Kong, OpenResty and their modules that the plugins use. A digest is the text itself, so that tests see
-- what is signed. Another test runs the same files in nginx, with real digests.
local null = newproxy()
local cases = assert(loadstring("local null = ... return " .. io.read("*a")))(null)
package.path = "./?.lua;" .. package.path

local clock, store, decoded, step, played

local function hex(text) return (text:gsub(".", function(char) return string.format("%02x", char:byte()) end)) end
local function same() return { final = function(_, text) return text end } end

package.loaded["kong.db.schema.typedefs"] =
  setmetatable({}, { __index = function() return setmetatable({}, { __call = function(_, more) return more end }) end })
package.loaded["cjson.safe"] = {
  -- The only message that is ever encoded.
  encode = function(value) return value.key end,
  new = function()
    return { decode_invalid_numbers = function() end, decode = function(text) return decoded[text] end }
  end,
}
package.loaded["resty.string"] = { to_hex = hex }
package.loaded["resty.openssl.digest"] = { new = same }
package.loaded["resty.openssl.hmac"] = {
  new = function(secret, algorithm) return { final = function(_, text) return secret .. "\0" .. algorithm .. "\0" .. text end } end,
}
package.loaded["resty.http"] = {
  new = function()
    return {
      set_timeout = function(_, milliseconds) assert(milliseconds >= 1 and milliseconds % 1 == 0) end,
      request_uri = function(_, url, options)
        local secret = options.headers["x-verify-secret"]
        table.insert(played.asked, { url = url, key = options.body, secret = secret })
        local answer = step.verifiers and step.verifiers[url] or "closes"
        if answer == "hangs" then coroutine.yield(math.huge) end
        if answer == "closes" then return nil, "connection reset by peer" end
        return answer
      end,
    }
  end,
}

local function wake(thread)
  local running, result = coroutine.resume(thread.work)
  if coroutine.status(thread.work) == "dead" then
    thread.done, thread.ok, thread.result = true, running, result
  else
    thread.at = clock + result
  end
end

ngx = {
  null = null,
  now = function() return clock end,
  time = function() return math.floor(clock) end,
  sleep = function(seconds) coroutine.yield(seconds) end,
  thread = {
    spawn = function(work, ...)
      local arguments = { ... }
      local thread = { work = coroutine.create(function() return work(unpack(arguments)) end) }
      wake(thread)
      return thread
    end,
    wait = function(...)
      while true do
        local next_one
        for _, thread in ipairs({ ... }) do
          if thread.done then return thread.ok, thread.result end
          if next_one == nil or thread.at < next_one.at then next_one = thread end
        end
        clock = next_one.at
        wake(next_one)
      end
    end,
    kill = function() end,
  },
}

kong = {
  log = { err = function() end, warn = function() end },
  response = { exit = function(status, body) error({ status = status, body = body }) end },
  cache = {
    get = function(cache, key, options, load, ...)
      local kept = store[key]
      if kept ~= nil and clock < kept.till then return kept.value end
      assert(options.resurrect_ttl > 0)
      return cache:renew(key, options, load, ...)
    end,
    renew = function(_, key, _, load, ...)
      local value, failure, ttl = load(...)
      assert(failure == nil and ttl > 0)
      store[key] = { value = value, till = clock + ttl }
      return value
    end,
  },
}

local function headers_of(list)
  local headers = {}
  for _, pair in ipairs(list) do
    local name, value, known = pair[1]:lower(), pair[2], headers[pair[1]:lower()]
    if known == nil then headers[name] = value
    elseif type(known) == "table" then table.insert(known, value)
    else headers[name] = { known, value } end
  end
  return headers
end

local function play(handler, conf)
  local request = step.request
  local headers = headers_of(request.headers)
  local path = request.target:match("^[^?]*")
  ngx.var = {
    kong_request_id = "gateway-id",
    request_uri = request.target,
    args = request.target:match("%?(.+)$"),
    upstream_uri = request.upstream_uri,
    remote_addr = "127.0.0.1",
  }
  ngx.req = {
    get_method = function() return request.method end,
    get_headers = function()
      local copy = {}
      for name, value in pairs(headers) do copy[name] = value end
      return copy, request.truncated and "truncated" or nil
    end,
    clear_header = function(name) headers[name:lower()] = nil end,
    set_header = function(name, value) headers[name:lower()] = value end,
  }
  played = { asked = {} }
  clock = clock + step.after
  local done, fault = pcall(function()
    if handler.rewrite then handler:rewrite(conf) end
    handler:access(conf)
    -- What Kong does after the plugins.
    local connection = headers.connection or {}
    for _, value in ipairs(type(connection) == "table" and connection or { connection }) do
      for name in value:lower():gmatch("[^%s,]+") do headers[name] = nil end
    end
  end)
  if done then
    headers["x-forwarded-prefix"] = ngx.var.upstream_x_forwarded_prefix
    local query = request.target:sub(#path + 1)
    played.upstream = { url = ngx.var.upstream_uri .. query, headers = headers }
  elseif type(fault) == "table" and fault.status then
    played.answer = fault
  else
    played.thrown = tostring(fault)
  end
  return played
end

local function fits(field, value)
  if field.type == "array" then
    if type(value) ~= "table" or #value < (field.len_min or 0) then return false end
    for _, element in ipairs(value) do if not fits(field.elements, element) then return false end end
    return true
  end
  local lua_type = field.type == "integer" and "number" or field.type
  if lua_type ~= nil and type(value) ~= lua_type then return false end
  if field.type == "integer" and value % 1 ~= 0 then return false end
  if field.between and (value < field.between[1] or value > field.between[2]) then return false end
  if field.len_min and #value < field.len_min then return false end
  if field.match and not value:find(field.match) then return false end
  return field.custom_validator == nil or field.custom_validator(value) == true
end

local function complete(name, config)
  local fields = {}
  for _, field in ipairs(require("kong.plugins." .. name .. ".schema").fields) do
    if field.config then fields = field.config.fields end
  end
  local conf, known = {}, {}
  for _, field in ipairs(fields) do
    local key, definition = next(field)
    known[key] = true
    local value = config[key]
    if value == nil then value = definition.default end
    if value == nil and definition.required then return nil end
    if value ~= nil and not fits(definition, value) then return nil end
    conf[key] = value == nil and null or value
  end
  for key in pairs(config) do if not known[key] then return nil end end
  return conf
end

local function encode(value)
  if type(value) == "string" then
    return '"' .. value:gsub('[^%w ]', function(char) return string.format("\\u%04x", char:byte()) end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  if #value > 0 or next(value) == nil then
    for _, element in ipairs(value) do table.insert(parts, encode(element)) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, member in pairs(value) do table.insert(parts, encode(key) .. ":" .. encode(member)) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local outcomes = {}
for _, case in ipairs(cases) do
  clock, store, decoded = 1700000000, {}, case.decoded
  local conf = complete(case.plugin, case.config)
  local steps = {}
  if conf ~= nil then
    local handler = require("kong.plugins." .. case.plugin .. ".handler")
    for _, one in ipairs(case.steps) do
      step = one
      table.insert(steps, play(handler, conf))
    end
  end
  table.insert(outcomes, { refused = conf == nil, steps = steps })
end
print(encode(outcomes))
