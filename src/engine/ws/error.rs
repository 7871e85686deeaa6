//! The errors a peer can cause, worded as npm `ws` words them.

use thiserror::Error;

/// A protocol violation or an exceeded limit, as the `error` event of npm `ws` reports it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct WsError {
    /// The JavaScript error class: `Error` or `RangeError`.
    pub name: &'static str,
    /// The message of the error.
    pub message: String,
    /// The `code` property of the error.
    pub code: &'static str,
    /// The status code of the close frame the violation is answered with.
    pub close_code: u16,
}

impl WsError {
    /// A frame that breaks RFC 6455.
    fn malformed(message: impl std::fmt::Display, code: &'static str) -> Self {
        Self {
            name: "RangeError",
            message: format!("Invalid WebSocket frame: {message}"),
            code,
            close_code: 1002,
        }
    }

    pub(super) fn reserved_bits() -> Self {
        Self::malformed("RSV2 and RSV3 must be clear", "WS_ERR_UNEXPECTED_RSV_2_3")
    }

    pub(super) fn rsv1() -> Self {
        Self::malformed("RSV1 must be clear", "WS_ERR_UNEXPECTED_RSV_1")
    }

    pub(super) fn opcode(opcode: u8) -> Self {
        Self::malformed(
            format_args!("invalid opcode {opcode}"),
            "WS_ERR_INVALID_OPCODE",
        )
    }

    pub(super) fn fin() -> Self {
        Self::malformed("FIN must be set", "WS_ERR_EXPECTED_FIN")
    }

    pub(super) fn control_length(length: u8) -> Self {
        Self::malformed(
            format_args!("invalid payload length {length}"),
            "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
        )
    }

    pub(super) fn mask() -> Self {
        Self::malformed("MASK must be set", "WS_ERR_EXPECTED_MASK")
    }

    pub(super) fn status_code(code: u16) -> Self {
        Self::malformed(
            format_args!("invalid status code {code}"),
            "WS_ERR_INVALID_CLOSE_CODE",
        )
    }

    pub(super) fn utf8() -> Self {
        Self {
            name: "Error",
            close_code: 1007,
            ..Self::malformed("invalid UTF-8 sequence", "WS_ERR_INVALID_UTF8")
        }
    }

    pub(super) fn unsafe_length() -> Self {
        Self {
            name: "RangeError",
            message: "Unsupported WebSocket frame: payload length > 2^53 - 1".to_owned(),
            code: "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
            close_code: 1009,
        }
    }

    pub(super) fn too_long() -> Self {
        Self {
            name: "RangeError",
            message: "Max payload size exceeded".to_owned(),
            code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
            close_code: 1009,
        }
    }

    pub(super) fn too_many_fragments() -> Self {
        Self {
            name: "RangeError",
            message: "Too many message fragments".to_owned(),
            code: "WS_ERR_TOO_MANY_BUFFERED_PARTS",
            close_code: 1008,
        }
    }

    /// Compressed data that is no DEFLATE stream; `message` is zlib's.
    pub(super) fn inflate(message: Option<&str>) -> Self {
        Self {
            name: "Error",
            message: message.unwrap_or("invalid data").to_owned(),
            code: "Z_DATA_ERROR",
            close_code: 1007,
        }
    }
}
