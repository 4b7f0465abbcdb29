import { createHmac } from 'node:crypto'
import { signatureOf, textToSign } from '@tsmicro/kong-plugins/sign-request'
import type { ForwardedCall } from '../plugin.ts'

/** The value of `x-gateway-signature`. Header values are bytes (latin1), like everything that was not decoded. */
export function sign(secret: string, { method, path, query, headers }: ForwardedCall, seconds: number): string {
  const valuesOf = (name: string): string[] => {
    const values: string[] = []
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const field = headers[i] ?? ''
      if (field.length === name.length && field.toLowerCase() === name) values.push(headers[i + 1] ?? '')
    }
    return values
  }
  const text = textToSign(String(seconds), { method, target: path + query, valuesOf })
  return signatureOf(String(seconds), createHmac('sha256', secret).update(text, 'latin1').digest('hex'))
}
