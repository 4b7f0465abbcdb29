-- Runs the access phase of a Kong plugin outside of Kong: luajit harness.lua PLUGIN, with one table "request" as Lua on stdin.
-- Prints what happened, one "name=value" a line.
local null = {}
ngx = { null = null }
local request = assert(loadstring("return " .. io.read("*a")))()
local headers = request.headers or {}
local exited

package.path = "kong/plugins/?.lua;" .. package.path
package.loaded["cjson.safe"] = {
  encode = function(value) return value.key end,
  -- The stand-in's bodies are Lua already.
  decode = function(text)
    local chunk = loadstring("return " .. text)
    return chunk and chunk()
  end,
}
package.loaded["resty.string"] = { to_hex = function(text) return text end }
-- Shows what was to be signed instead of the signature.
package.loaded["resty.openssl.hmac"] = {
  new = function(secret) return { final = function(_, text) return secret .. "|" .. text:gsub("\n", "\\n") end } end,
}
package.loaded["resty.openssl.digest"] = {
  new = function() return { final = function(_, text) return "hash(" .. #text .. ")" end } end,
}
package.loaded["resty.http"] = {
  new = function()
    return {
      set_timeout = function() end,
      request_uri = function(_, url, options)
        print("asked=" .. url .. " " .. options.body .. " " .. tostring(options.headers["x-verify-secret"]))
        if request.answer == "throw" then error("thrown") end
        return request.answer, request.answer == nil and "connection refused" or nil
      end,
    }
  end,
}

ngx = {
  null = null,
  var = request.var or {},
  time = function() return 1700000000 end,
  now = function() return 1700000000 end,
  sleep = function() end,
  req = {
    get_headers = function() return headers, request.truncated and "truncated" or nil end,
    get_method = function() return request.method or "GET" end,
    clear_header = function(name) headers[name] = nil end,
    set_header = function(name, value) headers[name] = value end,
  },
  thread = {
    spawn = function(work, ...) return { pcall(work, ...) } end,
    wait = function(first) return unpack(first) end,
    kill = function() end,
  },
}
kong = {
  log = { err = function() end, warn = function() end },
  response = {
    exit = function(status, body)
      exited = status .. " " .. (body.error or body.message)
      error({ exited = true })
    end,
  },
  cache = {
    get = function(_, id, options, load, ...)
      local verdict, err, ttl = load(...)
      print("cached=" .. id .. " " .. tostring(ttl) .. " " .. tostring(options.resurrect_ttl))
      return verdict, err
    end,
  },
}

local ok, err = pcall(function() require(arg[1] .. ".handler"):access(request.conf) end)
if not ok and type(err) ~= "table" then exited = "500 " .. tostring(err) end
print("exited=" .. tostring(exited))
for _, name in ipairs({ "upstream_uri", "upstream_x_forwarded_prefix" }) do print(name .. "=" .. tostring(ngx.var[name])) end
for name, value in pairs(headers) do print(name .. "=" .. tostring(value)) end
