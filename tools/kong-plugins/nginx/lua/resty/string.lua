local String = {}

function String.to_hex(text)
  return (string.gsub(text, ".", function(char) return string.format("%02x", string.byte(char)) end))
end

return String
