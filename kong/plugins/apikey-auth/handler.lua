-- As packages/gateway/src/plugins/apikey-auth: lets nobody pass without an API key that the verifier calls good.
local cjson = require "cjson.safe"
local digest = require "resty.openssl.digest"
local http = require "resty.http"
local to_hex = require("resty.string").to_hex

local ApikeyAuth = { PRIORITY = 1250, VERSION = "0.1.0" }

local MAX_KEY_LENGTH = 200
local MAX_BODY_BYTES = 4096
-- Kong's cache takes 0 for "for ever".
local NOT_AT_ALL = 0.001
-- What a cache may be late with forgetting.
local GRACE = 0.1

local REFUSALS = {
  missing = { 401, "API key required", "API_KEY_REQUIRED" },
  invalid = { 401, "Invalid API key", "API_KEY_INVALID" },
  forbidden = { 403, "This API key does not permit that", "API_KEY_FORBIDDEN" },
  unknown = { 503, "The API key cannot be verified right now", "SERVICE_UNAVAILABLE" },
}

local function refuse(verdict, headers)
  local refusal = REFUSALS[verdict] or REFUSALS.unknown
  local id = headers["x-request-id"]
  if type(id) ~= "string" or #id > 128 or not string.find(id, "^[%w_.:-]+$") then id = ngx.var.request_id end
  local body = { code = "10001", status = refusal[1], message = refusal[2], error = refusal[3], requestId = id }
  return kong.response.exit(refusal[1], body, { ["x-request-id"] = id })
end

local function read_verdict(status, text, permission)
  if status == 401 then return "invalid" end
  if status ~= 200 or #text > MAX_BODY_BYTES then return "unknown" end
  local body = cjson.decode(text)
  if type(body) ~= "table" then return "unknown" end
  if body.valid == false then return "invalid" end
  if body.valid ~= true then return "unknown" end
  if permission == nil or permission == ngx.null then return "valid" end
  if body.permitted == true then return "valid" end
  if body.permitted == false then return "forbidden" end
  return "unknown"
end

local function ask(conf, key)
  local client = http.new()
  client:set_timeout(conf.timeout_ms)
  local permission = conf.permission
  if permission == ngx.null then permission = nil end
  local secret = conf.verify_secret
  if secret == ngx.null or secret == "" then secret = nil end
  local answer, err = client:request_uri(conf.verify_url, {
    method = "POST",
    headers = {
      ["content-type"] = "application/json",
      ["accept"] = "application/json",
      ["x-verify-secret"] = secret,
    },
    body = cjson.encode({ key = key, permission = permission }),
  })
  if answer == nil then
    kong.log.warn("API key not verified: ", err)
    return "unknown"
  end
  local verdict = read_verdict(answer.status, answer.body or "", permission)
  if verdict == "unknown" then kong.log.warn("the verifier gave no verdict (status ", answer.status, ")") end
  return verdict
end

-- resty.http's time-out is for each read: a verifier that drips bytes would hold a request for long. This one is for all.
local function ask_in_time(conf, key)
  local asking = ngx.thread.spawn(ask, conf, key)
  local waiting = ngx.thread.spawn(function()
    ngx.sleep(conf.timeout_ms / 1000)
    return "unknown"
  end)
  local ok, verdict = ngx.thread.wait(asking, waiting)
  ngx.thread.kill(asking)
  ngx.thread.kill(waiting)
  if not ok or type(verdict) ~= "string" then return "unknown" end
  return verdict
end

local function load(conf, key)
  local verdict = ask_in_time(conf, key)
  local ttl = NOT_AT_ALL
  if verdict == "valid" then ttl = conf.cache_ttl elseif verdict ~= "unknown" then ttl = conf.negative_cache_ttl end
  if ttl <= 0 then ttl = NOT_AT_ALL end
  -- Never an error: for an error Kong's cache would bring an expired yes back to life.
  return { verdict = verdict, good_until = ngx.now() + ttl + GRACE }, nil, ttl
end

-- Kong's cache hands an expired yes out to a request that waited too long (5 s) for another's question about the same key, whatever
-- resurrect_ttl is: measured with a verifier that hangs and twenty requests at once.
local function still_good(entry)
  if entry == nil then return "unknown" end
  if entry.verdict == "valid" and ngx.now() > entry.good_until then return "unknown" end
  return entry.verdict
end

local function is_gateways_word(name)
  local dashed = string.gsub(string.lower(name), "_", "-")
  return string.find(dashed, "^x%-consumer%-") or string.find(dashed, "^x%-credential%-")
    or string.find(dashed, "^x%-anonymous%-consumer")
end

function ApikeyAuth:access(conf)
  local headers, err = ngx.req.get_headers(1000)
  if err ~= nil then return kong.response.exit(431, { message = "Too many header fields" }) end
  for name in pairs(headers) do
    if is_gateways_word(name) then ngx.req.clear_header(name) end
  end
  local key = headers["x-api-key"]
  ngx.req.clear_header("x-api-key")
  if key == nil or key == "" then return refuse("missing", headers) end
  if type(key) ~= "string" or #key > MAX_KEY_LENGTH or string.find(key, "[^\33-\126]") then
    return refuse("invalid", headers)
  end
  -- The cache never holds a key.
  local hashed = to_hex(assert(assert(digest.new("sha256")):final(key)))
  local permission = conf.permission
  if permission == nil or permission == ngx.null then permission = "" end
  local id = "apikey-auth:" .. conf.verify_url .. ":" .. permission .. ":" .. hashed
  local entry, failure = kong.cache:get(id, { resurrect_ttl = NOT_AT_ALL }, load, conf, key)
  if failure ~= nil then kong.log.err("API key not verified: ", failure) end
  local verdict = still_good(entry)
  if verdict ~= "valid" then return refuse(verdict, headers) end
end

return ApikeyAuth
