//! The HTTP responses to an upgrade request, byte for byte those of npm `ws`.

use super::upgrade::Upgrade;

/// The 101 response. `protocol` is the subprotocol selected, if any.
pub fn response(
    upgrade: &Upgrade,
    protocol: Option<&str>,
    extra_headers: &[(String, String)],
) -> String {
    let mut response = String::from(
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n",
    );
    push_header(&mut response, "Sec-WebSocket-Accept", &upgrade.accept);
    if let Some(protocol) = protocol.filter(|protocol| !protocol.is_empty()) {
        push_header(&mut response, "Sec-WebSocket-Protocol", protocol);
    }
    if let Some(extensions) = &upgrade.extensions {
        push_header(&mut response, "Sec-WebSocket-Extensions", extensions);
    }
    for (name, value) in extra_headers {
        push_header(&mut response, name, value);
    }
    response.push_str("\r\n");
    response
}

/// The response that turns a request down. An empty `message` stands for the status text.
///
/// `headers` replace the usual ones of the same spelling, as the keys of an object do.
pub fn rejection_response(status: u16, message: &str, headers: &[(String, String)]) -> String {
    // A status Node.js has no text for is spelled like any missing value.
    let status_text = status_text(status).unwrap_or("undefined");
    let body = if message.is_empty() {
        status_text
    } else {
        message
    };
    let mut all = vec![
        ("Connection", "close".to_owned()),
        ("Content-Type", "text/html".to_owned()),
        ("Content-Length", body.len().to_string()),
    ];
    for (name, value) in headers {
        match all.iter_mut().find(|(existing, _)| existing == name) {
            Some((_, existing)) => existing.clone_from(value),
            None => all.push((name, value.clone())),
        }
    }
    let mut response = format!("HTTP/1.1 {status} {status_text}\r\n");
    for (name, value) in &all {
        push_header(&mut response, name, value);
    }
    response.push_str("\r\n");
    response.push_str(body);
    response
}

fn push_header(response: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        response.push_str(part);
    }
}

/// The text of Node.js' `http.STATUS_CODES`.
pub fn status_text(status: u16) -> Option<&'static str> {
    STATUS_TEXTS
        .binary_search_by_key(&status, |(status, _)| *status)
        .ok()
        .map(|index| STATUS_TEXTS[index].1)
}

const STATUS_TEXTS: &[(u16, &str)] = &[
    (100, "Continue"),
    (101, "Switching Protocols"),
    (102, "Processing"),
    (103, "Early Hints"),
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (203, "Non-Authoritative Information"),
    (204, "No Content"),
    (205, "Reset Content"),
    (206, "Partial Content"),
    (207, "Multi-Status"),
    (208, "Already Reported"),
    (226, "IM Used"),
    (300, "Multiple Choices"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (305, "Use Proxy"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (402, "Payment Required"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (410, "Gone"),
    (411, "Length Required"),
    (412, "Precondition Failed"),
    (413, "Payload Too Large"),
    (414, "URI Too Long"),
    (415, "Unsupported Media Type"),
    (416, "Range Not Satisfiable"),
    (417, "Expectation Failed"),
    (418, "I'm a Teapot"),
    (421, "Misdirected Request"),
    (422, "Unprocessable Entity"),
    (423, "Locked"),
    (424, "Failed Dependency"),
    (425, "Too Early"),
    (426, "Upgrade Required"),
    (428, "Precondition Required"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (451, "Unavailable For Legal Reasons"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
    (505, "HTTP Version Not Supported"),
    (506, "Variant Also Negotiates"),
    (507, "Insufficient Storage"),
    (508, "Loop Detected"),
    (509, "Bandwidth Limit Exceeded"),
    (510, "Not Extended"),
    (511, "Network Authentication Required"),
];
