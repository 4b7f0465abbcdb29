-- As resty.lock with the options Kong gives its cache: who waits looks again after 1, 2, 4 … 500 ms, and gives up after `timeout`.
local Lock = {}

function Lock.take(key, timeout)
  local locks, step, left = ngx.shared.kong_locks, 0.001, timeout
  while true do
    local added, err = locks:add(key, true, 10)
    if added then return true end
    if err ~= "exists" then return nil, err end
    if left <= 0 then return nil, "timeout" end
    ngx.sleep(step)
    left = left - step
    step = math.min(step * 2, 0.5, math.max(left, 0.001))
  end
end

function Lock.release(key) ngx.shared.kong_locks:delete(key) end

return Lock
