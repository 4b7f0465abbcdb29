import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from './check.ts'

test('two services', async () => assert.equal(await check(), 'Hello, Ada! VALIDATION_FAILED'))
