import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPage } from './chromium.ts'

/** Only this machine answers: every name but those of the loopback interface is unknown. */
const OFFLINE = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'
/** Only ends a hang. */
const PATIENCE_MS = 120_000

type Result = Readonly<Record<string, unknown>>

/** A page that a test uses as somebody with a keyboard and a mouse does. */
export interface DrivenPage extends AsyncDisposable {
  /** What an expression yields in the page. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression is true. @throws with the page's text */
  until(expression: string): Promise<void>
  /** Clicks what has this role and this name, in whatever part of the page is in front. */
  click(role: string, name: string): Promise<void>
  /** Replaces what a field contains. @param label its accessible name, or the beginning of it */
  fill(label: string, text: string): Promise<void>
  /** Types into whatever has the focus. */
  type(text: string): Promise<void>
  press(key: 'Enter' | 'ArrowDown' | '/'): Promise<void>
  /** What can be used without a name: screen readers could not tell what it is. */
  unnamed(): Promise<readonly string[]>
  resize(width: number, height: number, scheme?: 'light' | 'dark'): Promise<void>
  screenshot(): Promise<Buffer>
  /** Every address that the page has asked for. */
  readonly requested: readonly string[]
}

/** Opens a page without access to any other machine. */
export async function drivePage(url: string): Promise<DrivenPage> {
  const page = await openPage('about:blank', OFFLINE)
  try {
    const debuggerUrl = await Promise.race([page.debuggerUrl, page.failed.then(text => assert.fail(text))])
    const { send, requested, close } = await connect(debuggerUrl)
    const evaluate = async (expression: string) => {
      const options = { expression, awaitPromise: true, returnByValue: true }
      const { result, exceptionDetails } = await send('Runtime.evaluate', options)
      if (exceptionDetails !== undefined) assert.fail(JSON.stringify(exceptionDetails))
      return Object(result).value as unknown
    }
    const until = async (expression: string) => {
      for (const end = Date.now() + PATIENCE_MS; !(await evaluate(expression).catch(() => false)); await sleep(50))
        if (Date.now() > end) assert.fail(`${expression} is not true of: ${await evaluate('document.body.innerText')}`)
    }
    const find = (selector: string, name: string) =>
      `[...(document.querySelector('dialog[open]') ?? document).querySelectorAll(${JSON.stringify(selector)})]
        .find(each => (each.ariaLabel ?? each.labels?.[0]?.textContent ?? each.textContent).trim().startsWith(${JSON.stringify(name)}))`
    const point = async (selector: string, name: string, action: string) => {
      const place = find(selector, name)
      await until(`${place} !== undefined`)
      await evaluate(`{ const found = ${place}; found.scrollIntoView({ block: 'center' }); ${action} }`)
    }
    const press = async (key: string) => {
      const text = key === 'Enter' ? '\r' : key.length === 1 ? key : undefined
      const code = { Enter: 13, ArrowDown: 40 }[key]
      const event = { key, ...(text ? { text } : {}), ...(code ? { windowsVirtualKeyCode: code } : {}) }
      await send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...event })
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key })
    }
    const type = async (text: string) => void (await send('Input.insertText', { text }))
    await send('Page.navigate', { url })
    return {
      evaluate,
      until,
      requested,
      press,
      type,
      click: (role, name) =>
        point({ button: 'button', link: 'a', summary: 'summary' }[role] ?? role, name, 'found.click()'),
      fill: async (label, text) => {
        await point('input, textarea, select', label, 'found.focus(); found.select?.()')
        await type(text)
      },
      unnamed: async () => {
        await send('Accessibility.enable', {})
        const { nodes } = await send('Accessibility.getFullAXTree', {})
        const used = ['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'dialog']
        return (nodes as readonly Result[]).flatMap(({ role, name, ignored }) => {
          const kind = String(Object(role).value)
          return !ignored && used.includes(kind) && !Object(name).value ? [kind] : []
        })
      },
      resize: async (width, height, scheme = 'light') => {
        const metrics = { width, height, deviceScaleFactor: 1, mobile: false }
        await send('Emulation.setDeviceMetricsOverride', metrics)
        await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
      },
      screenshot: async () => Buffer.from(String((await send('Page.captureScreenshot', {})).data), 'base64'),
      [Symbol.asyncDispose]: async () => {
        close()
        await page[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await page[Symbol.asyncDispose]()
    throw error
  }
}

/** Connects to the debugger of the only page. @see https://chromedevtools.github.io/devtools-protocol/ */
async function connect(debuggerUrl: string) {
  const targets = await fetch(`http://${new URL(debuggerUrl).host}/json`)
  const [target] = ((await targets.json()) as readonly Result[]).filter(({ type }) => type === 'page')
  const socket = new WebSocket(String(target?.webSocketDebuggerUrl))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  const waiting = new Map<number, PromiseWithResolvers<Result>>()
  const requested: string[] = []
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(String(data))
    if (method === 'Network.requestWillBeSent') requested.push(params.request.url)
    const call = waiting.get(id)
    waiting.delete(id)
    if (error) call?.reject(new Error(error.message))
    else call?.resolve(result)
  })
  socket.addEventListener('close', () => {
    for (const call of waiting.values()) call.reject(new Error('Chromium has ended'))
  })
  let last = 0
  const send = (method: string, params: object): Promise<Result> => {
    last += 1
    const call = Promise.withResolvers<Result>()
    waiting.set(last, call)
    socket.send(JSON.stringify({ id: last, method, params }))
    return call.promise
  }
  await send('Network.enable', {})
  await send('Page.enable', {})
  return { send, requested, close: () => socket.close() }
}
