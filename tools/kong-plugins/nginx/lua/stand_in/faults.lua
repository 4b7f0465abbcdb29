-- Faults of what surrounds a plugin, switched on and off by a test through the control port.
local Faults = { on = {} }

function Faults.raised(name) return Faults.on[name] == true end

--- Answers `PUT /fault/<name>` and `DELETE /fault/<name>`; anything else tells that nginx is up.
function Faults.control()
  local name = string.match(ngx.var.uri, "^/fault/([%w-]+)$")
  if name ~= nil then Faults.on[name] = ngx.req.get_method() == "PUT" or nil end
  ngx.say("ok")
end

return Faults
