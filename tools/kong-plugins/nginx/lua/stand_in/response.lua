-- kong.response, in the access phase: while plugins run, an answer is kept, and the plugin that gave it is left where it is.
local cjson = require "cjson.safe"

local Response = {}

local function send(status, body, headers)
  ngx.status = status
  if type(body) == "table" then
    body = assert(cjson.encode(body))
    ngx.header["content-type"] = "application/json; charset=utf-8"
  end
  for name, value in pairs(headers or {}) do ngx.header[name] = value end
  ngx.header["x-kong-request-id"] = ngx.var.request_id
  ngx.header["x-kong-response-latency"] = "0"
  ngx.header["content-length"] = #(body or "")
  ngx.print(body or "")
  return ngx.exit(status)
end

function Response.exit(status, body, headers)
  if type(status) ~= "number" or status < 100 or status > 599 then error("code must be a number between 100 and 599", 2) end
  if body ~= nil and type(body) ~= "string" and type(body) ~= "table" then error("body must be a nil, string or table", 2) end
  for name, value in pairs(headers or {}) do
    if type(name) ~= "string" or type(value) == "table" then error("invalid header " .. tostring(name), 2) end
  end
  local context = ngx.ctx
  if not context.delay_response or context.delayed_response then return send(status, body, headers) end
  context.delayed_response = { status, body, headers }
  coroutine.yield()
end

function Response.error(status, message)
  return Response.exit(status, { message = message, request_id = ngx.var.request_id })
end

function Response.set_header(name, value) ngx.header[name] = value end

--- The answer that a plugin gave, once no other may run.
function Response.flush()
  local context = ngx.ctx
  context.delay_response = nil
  return send(unpack(context.delayed_response, 1, 3))
end

return Response
