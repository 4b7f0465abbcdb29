/** Known to everybody who reads the README: for development only. */
export const DEMO_API_KEY = '1D3F2DD1A5DE725DD4DF1D82BBB37'
export const DEMO_ADMIN = { email: 'admin@tsmicro.dev', password: 'changeit', name: 'Admin' }
