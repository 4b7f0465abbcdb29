-- Faults around the plugins, which a test switches on and off through the control port.
local Faults = { on = {} }

--- Answers `PUT /fault/<name>` and `DELETE /fault/<name>`. An answer to anything else shows that nginx is up.
function Faults.control()
  local name = string.match(ngx.var.uri, "^/fault/([%w-]+)$")
  if name ~= nil then Faults.on[name] = ngx.req.get_method() == "PUT" or nil end
  ngx.say("ok")
end

return Faults
