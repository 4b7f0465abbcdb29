-- As packages/gateway/src/plugins/sign-request: signs what is forwarded, so that a service can refuse what did not pass here.
local hmac = require "resty.openssl.hmac"
local to_hex = require("resty.string").to_hex

local SignRequest = { PRIORITY = 10, VERSION = "0.1.0" }

-- As the service will read it: several are joined, of authorization the first counts.
local function value_of(headers, name)
  local value = headers[name]
  if value == nil then return "" end
  if type(value) ~= "table" then return value end
  if name == "authorization" then return value[1] end
  return table.concat(value, ", ")
end

local function path_and_query()
  local args = ngx.var.args
  if args ~= nil and args ~= "" then return ngx.var.upstream_uri .. "?" .. args end
  -- Kong keeps a question mark at the end.
  if string.sub(ngx.var.request_uri, -1) == "?" then return ngx.var.upstream_uri .. "?" end
  return ngx.var.upstream_uri
end

-- Before any plugin that tells who is asking: what a client says of itself is not to be signed, on a route without one either.
function SignRequest:rewrite()
  for name in pairs(ngx.req.get_headers(1000)) do
    local dashed = string.gsub(name, "_", "-")
    if string.find(dashed, "^x%-consumer%-") or string.find(dashed, "^x%-credential%-")
      or string.find(dashed, "^x%-anonymous%-consumer") then
      ngx.req.clear_header(name)
    end
  end
end

function SignRequest:access(conf)
  -- A client's own never reaches a service, signed or not.
  ngx.req.clear_header("x-gateway-signature")
  ngx.req.clear_header("x-verify-secret")
  local secret = conf.secret
  if secret == nil or secret == ngx.null or secret == "" then return end
  if #secret < 32 then
    kong.log.err("sign-request: the secret has to be 32 bytes or more")
    return kong.response.exit(500, { message = "An unexpected error occurred" })
  end
  local headers, err = ngx.req.get_headers(1000)
  if err ~= nil then return kong.response.exit(431, { message = "Too many header fields" }) end
  local seconds = string.format("%d", ngx.time())
  local text = table.concat({
    "v1",
    seconds,
    ngx.req.get_method(),
    path_and_query(),
    value_of(headers, "x-request-id"),
    -- nginx sets the header after this, to the same.
    ngx.var.remote_addr,
    value_of(headers, "x-consumer-id"),
    value_of(headers, "x-consumer-permissions"),
    value_of(headers, "authorization"),
  }, "\n")
  local signature = assert(assert(hmac.new(secret, "sha256")):final(text))
  ngx.req.set_header("x-gateway-signature", "v1." .. seconds .. "." .. to_hex(signature))
end

return SignRequest
