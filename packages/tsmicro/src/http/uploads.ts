import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { type EndpointLimits, type FailureMapper, StreamPlaces } from '../call/index.ts'
import {
  acceptsType,
  type BoundProcedure,
  essenceOf,
  type FileBody,
  fileOfOutput,
  kindOfBody,
  type UploadBody,
} from '../contract/index.ts'
import { MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE } from '../errors/index.ts'
import { whenClosed } from './connections.ts'
import { exchangeOf } from './exchange.ts'
import type { ReadInput } from './input.ts'
import { type Receipt, receive } from './receive.ts'
import { remove, TemporaryFile, temporaryFilesOf } from './temporary-files.ts'

type Handle = (request: FastifyRequest, reply: FastifyReply, files?: object) => unknown

interface UploadOptions {
  readonly server: FastifyInstance
  readonly readInput: ReadInput
  readonly toFailure: FailureMapper
  /** Where files are kept until they are handled. Default: `os.tmpdir()`. */
  readonly temporaryFolder: string | undefined
  readonly limits: EndpointLimits | undefined
  /** Logs that too many are received. */
  readonly refused: (error: unknown) => unknown
}

interface Upload {
  /** Adds the procedure's route to the server. */
  mount(route: RouteOptions): void
  /** Lets a handler get the files of a request, by their names in the input. They are received before, in their own time. */
  receiving(handle: Handle): Handle
}

/** Compiles the receipt of a procedure's files. If its input has none, its route and its handler stay as they are. */
export function compileUpload(procedure: BoundProcedure, options: UploadOptions): Upload {
  const { limits, readInput, refused, server, temporaryFolder, toFailure } = options
  const { input, output } = procedure
  const kind = kindOfBody(input)
  if (kind === undefined) return { mount: route => void server.route(route), receiving: handle => handle }
  const places = new StreamPlaces(limits, refused)
  const temporary = temporaryFilesOf(server, temporaryFolder)
  const receiveBody = kind === 'file' ? compileFile(input as FileBody, readInput) : compileForm(input as UploadBody)
  const receiveFiles = async (request: FastifyRequest, folder: () => Promise<string>): Promise<object> => {
    const { body, context } = exchangeOf(request)
    if (!context) throw new Error('a request reached its handler without a context')
    try {
      const coding = request.headers['content-encoding'] ?? 'identity'
      if (!body || coding.toLowerCase() !== 'identity') throw new UNSUPPORTED_MEDIA_TYPE()
      const { deadline } = context
      return await receiveBody({ request, body, deadline, receiveTimeoutMs: server.server.requestTimeout }, folder)
    } catch (error) {
      throw await toFailure(error, 'input', context.log)
    }
  }
  return {
    mount: route => mountRaw(server, route),
    receiving: handle => async (request, reply) => {
      const leave = places.take()
      let folder: string | undefined
      const release = async () => {
        if (folder !== undefined) await remove(folder)
        leave()
      }
      try {
        const files = await receiveFiles(request, async () => (folder = await temporary.folder()))
        return await handle(request, reply, files)
      } finally {
        // The answer may be one of these files.
        if (fileOfOutput(output)) whenClosed(reply.raw, release)
        else await release()
      }
    },
  }
}

/** Adds a route whose body nobody reads, whatever its type. */
function mountRaw(server: FastifyInstance, route: RouteOptions): void {
  // Content types are parsed for a whole plugin, not for a route.
  void server.register((plugin, _options, done) => {
    plugin.removeAllContentTypeParsers()
    plugin.addContentTypeParser('*', (request, body, parsed) => {
      exchangeOf(request).body = body
      parsed(null, undefined)
    })
    plugin.route(route)
    done()
  })
}

type ReceiveBody = (receipt: Omit<Receipt, 'maxBytes'>, begin: () => Promise<string>) => Promise<object>

function compileFile({ types, maxBytes }: FileBody, readInput: ReadInput): ReceiveBody {
  return async (receipt, begin) => {
    const type = essenceOf(receipt.request.headers['content-type'] ?? '')
    if (!acceptsType(types, type))
      throw new UNSUPPORTED_MEDIA_TYPE(undefined, { message: `Send the body as ${types.join(' or ')}` })
    // Its fields are already known, so nothing is received in vain.
    await readInput(receipt.request)
    const path = join(await begin(), 'file')
    const output = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    try {
      await receive({ ...receipt, maxBytes }, output, finished(output))
    } finally {
      if (!output.closed) await new Promise<void>(resolve => output.once('close', () => resolve()).destroy())
    }
    return { file: await TemporaryFile.open(path, '', type) }
  }
}

function compileForm(form: UploadBody): ReceiveBody {
  // Only a service with forms loads what reads them.
  const reader = import('./form.ts')
  return async (receipt, begin) => {
    const { request } = receipt
    const type = request.headers['content-type'] ?? ''
    if (essenceOf(type) !== 'multipart/form-data')
      throw new UNSUPPORTED_MEDIA_TYPE(undefined, { message: 'Send the body as multipart/form-data' })
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(type) ?? []
    const boundary = quoted ?? plain
    if (boundary === undefined) throw new MALFORMED_REQUEST()
    const { bodyLimit } = request.routeOptions
    const { receiveForm } = await reader
    const { fields, files } = await receiveForm(form, await begin(), boundary, bodyLimit, receipt)
    request.body = fields
    return files
  }
}
