import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOf } from '../src/api/blog/text.ts'

test('words, each once; signs separate them or are dropped', () => {
  const cases: [string, string][] = [
    ['Hello, World!', 'hello world'],
    ['hello HELLO Hello', 'hello'],
    ['-not "a phrase" -"nor this"', 'not a phrase nor this'],
    ["don't ’quote’ l’été 'x'", "don't quote l’été x"],
    ['C++ / C# / node.js', 'c node js'],
    ['snake_case 42', 'snake_case 42'],
    ['Cafe\u0301 日本語 привет', 'cafe\u0301 日本語 привет'],
    ['a\0b\nc', 'a b c'],
    ['{"$ne":null}', 'ne null'],
    ['?! - "" 😀', ''],
    ['', ''],
  ]
  for (const [text, words] of cases) {
    assert.equal(wordsOf(text), words, text)
    assert.equal(wordsOf(words), words, `${text} twice`)
  }
})

test('no text leads to a search with more than a hundred words, or with an operator', () => {
  const long = Array.from({ length: 1000 }, (_, n) => `-"w${n}"`).join('-')
  const words = wordsOf(long)
  assert.equal(words.split(' ').length, 100)
  assert.match(words, /^w0 w1 /)
  assert.doesNotMatch(words, /["-]/)
})
