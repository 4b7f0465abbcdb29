-- Of the libcrypto that nginx runs on. As lua-resty-openssl: failures are nil and a text.
local ffi = require "ffi"
local faults = require "stand_in.faults"

ffi.cdef("unsigned char *SHA256(const unsigned char *text, size_t length, unsigned char *digest);")

local Digest = {}
Digest.__index = Digest

function Digest.new(algorithm)
  if faults.raised("digest") then return nil, "digest.new: the provider refused" end
  if algorithm ~= "sha256" then return nil, "the stand-in knows sha256 only" end
  return setmetatable({ parts = {} }, Digest)
end

function Digest:update(text)
  table.insert(self.parts, text)
  return true
end

function Digest:final(text)
  if text ~= nil then self:update(text) end
  local all = table.concat(self.parts)
  local bytes = ffi.new("unsigned char[32]")
  ffi.C.SHA256(all, #all, bytes)
  return ffi.string(bytes, 32)
end

return Digest
