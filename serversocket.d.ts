import { AGServerSocket } from './types/server-socket'

export = AGServerSocket
