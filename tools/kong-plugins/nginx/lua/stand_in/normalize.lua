-- The form of a path that Kong routes by and forwards: unreserved characters decoded, no dot segments, no doubled slashes.
-- nginx has refused by then what is malformed or climbs above the root.
local RESERVED = "[!*'();:@&=+$,/?%%#%[%]]"

local function decode(hex)
  local char = string.char(tonumber(hex, 16))
  return string.find(char, RESERVED) and "%" .. string.upper(hex) or char
end

local function without_dots(path)
  local kept = {}
  for segment in string.gmatch(path, "[^/]+") do
    if segment == ".." then table.remove(kept) elseif segment ~= "." then table.insert(kept, segment) end
  end
  local ended = string.find(path, "/%.?%.?$") and #kept > 0
  return "/" .. table.concat(kept, "/") .. (ended and "/" or "")
end

local Normalize = {}

function Normalize.path(path) return without_dots((string.gsub(path, "%%(%x%x)", decode))) end

--- As it may stand in a request line.
function Normalize.escape(path)
  return (string.gsub(path, "[^!#$&'()*+,/:;=?@%[%]%w%-_.~%%]", function(char)
    return string.format("%%%02X", string.byte(char))
  end))
end

return Normalize
