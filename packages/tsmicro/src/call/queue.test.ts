import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Queue } from './queue.ts'

const step = fc.oneof(fc.constant('add' as const), fc.constant('shift' as const), fc.nat({ max: 10 }))

test('a queue does what a list does: first in, first out, and any place may leave', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const queue = new Queue()
      const list: ReturnType<Queue['add']>[] = []
      for (const each of steps) {
        if (each === 'add') list.push(queue.add(() => {}))
        else if (each === 'shift') assert.equal(queue.shift(), list.shift())
        else for (const place of list.splice(each, 1)) queue.remove(place)
        assert.equal(queue.size, list.length)
      }
      for (const place of list) assert.equal(queue.shift(), place)
      assert.equal(queue.shift(), undefined)
    }),
  )
})
