import { AGServer } from './types/server'

export = AGServer
