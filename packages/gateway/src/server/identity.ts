/** What this gateway calls itself in Server and Via, where Kong says `kong/3.9.1`: a stand-in must be recognizable. */
export const GATEWAY_NAME = 'tsmicro-gateway/0.1.0'
export const VIA = `1.1 ${GATEWAY_NAME}`
