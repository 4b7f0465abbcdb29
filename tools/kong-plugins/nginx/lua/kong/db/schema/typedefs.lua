-- Kong's field types, of which the stand-in needs no more than the defaults that a plugin adds.
local field = setmetatable({}, { __call = function(_, more) return more or {} end })

return setmetatable({}, { __index = function() return field end })
