/**
 * `tsmicro gateway run`: the gateway alone, with any `kong.yml`. It is loaded only here, as no other command needs it.
 * @returns the exit code
 */
export async function runGateway(args: readonly string[], gone: AbortSignal): Promise<number> {
  const { runGatewayCommand } = await import('@tsmicro/gateway/command')
  return runGatewayCommand(args, { usage: 'tsmicro gateway run', name: 'tsmicro gateway run', gone })
}
