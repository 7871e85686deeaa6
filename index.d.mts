import * as api from './index.js'

export default api
export * from './index.js'
