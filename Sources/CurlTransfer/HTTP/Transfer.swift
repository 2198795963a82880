import CCurl
import Octets

/// One exchange in libcurl's hands. Only the thread of the transfers touches it.
final class Transfer {
    let handle: EasyHandle
    private let request: HTTPRequest
    private let receiver: any HTTPAnswerReceiving
    private let maximumAnswer: Int
    private var reader: (any OctetReader)?
    private var head = HeadReading()
    private var hasDeliveredHead = false
    private var received = 0
    /// A body up to this many octets goes out in one segment with its header; libcurl copies it.
    private static let atOnce = 65_535
    /// The fault that one of the callbacks found; libcurl then only knows that it was stopped.
    private var fault: TransferError?

    init(
        _ request: HTTPRequest, receiver: any HTTPAnswerReceiving, settings: TransferSettings
    ) throws(TransferError) {
        handle = try EasyHandle()
        self.request = request
        self.receiver = receiver
        maximumAnswer = settings.maximumAnswer
        let url = request.url.lowercased()
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw TransferError(.url, "the address begins neither with http:// nor with https://")
        }
        try handle.apply(settings)
        if let address = UnixSocketAddress(request.url) {
            try handle.set(CURLOPT_UNIX_SOCKET_PATH, address.socket)
            // libcurl would look for the proxy behind the socket.
            try handle.set(CURLOPT_PROXY, "")
            try handle.set(CURLOPT_URL, address.url)
        } else {
            try handle.set(CURLOPT_URL, request.url)
        }
        try applyRequest()
        try applyCallbacks()
    }

    private func applyRequest() throws(TransferError) {
        // Without these libcurl would wait for "100 Continue", and would name a form's content type.
        var lines = ["Expect:"]
        for field in request.fields {
            let isClean = [field.name, field.value].allSatisfy { !$0.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
            guard isClean, !field.name.isEmpty else {
                throw TransferError(.internal, "a header field of the request has control characters")
            }
            lines.append(field.value.isEmpty ? field.name + ";" : "\(field.name): \(field.value)")
        }
        try handle.setFields(lines)
        guard let body = request.body else { return try handle.set(CURLOPT_HTTPGET, 1) }
        try handle.set(CURLOPT_POST, 1)
        try handle.setOffset(CURLOPT_POSTFIELDSIZE_LARGE, body.count)
        guard body.count > Self.atOnce else { return try handle.setBody(body.collected()) }
        reader = body.makeReader()
    }

    private func applyCallbacks() throws(TransferError) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        try handle.setCallback(
            CURLOPT_READFUNCTION, { Transfer.from($3).read(into: $0, room: $1 * $2) }, CURLOPT_READDATA, context)
        try handle.setCallback(
            CURLOPT_WRITEFUNCTION, { Transfer.from($3).receive($0, count: $1 * $2) }, CURLOPT_WRITEDATA, context)
        try handle.setCallback(
            CURLOPT_HEADERFUNCTION, { Transfer.from($3).receiveLine($0, count: $1 * $2) }, CURLOPT_HEADERDATA, context)
        try handle.setSeekCallback({ Transfer.from($0).seek(to: Int($1), origin: $2) }, context)
    }

    /// Returns the result, once libcurl has ended the transfer.
    func result(_ code: CURLcode) -> Result<HTTPHead, TransferError> {
        if let fault { return .failure(fault) }
        guard code == CURLE_OK || isEarlyRefusal(code) else {
            if let errno = handle.machineFault(behind: code) {
                return .failure(TransferError(machineFault: errno, "no connection can be made from here"))
            }
            return .failure(
                TransferError(
                    code: code, words: handle.errorWords, connectStatus: handle.number(CURLINFO_HTTP_CONNECTCODE)))
        }
        guard let final = head.final else {
            return .failure(TransferError(.answer, "the answer has no status line"))
        }
        deliverHead()
        return .success(final)
    }

    /// Some peers refuse before they have read the body, and close: their status counts more than the lost connection.
    private func isEarlyRefusal(_ code: CURLcode) -> Bool {
        let isLost = [CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE].contains(code)
        return isLost && handle.number(CURLINFO_HTTP_CONNECTCODE) < 300 && (head.final?.status ?? 0) >= 400
    }

    // MARK: - Called from C

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context else { preconditionFailure("libcurl called back without its context") }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func read(into octets: UnsafeMutablePointer<CChar>?, room: Int) -> Int {
        guard let octets, room > 0 else { return 0 }
        let buffer = UnsafeMutableRawBufferPointer(start: octets, count: room)
        var filled = 0
        // Each return is a packet of its own, so short pieces are gathered.
        while filled < room,
            let read = reader?.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])), read > 0
        { filled += read }
        return filled
    }

    /// libcurl starts the body anew when a connection turned out to be dead, or a proxy wants credentials.
    private func seek(to offset: Int, origin: Int32) -> Int32 {
        guard origin == SEEK_SET, offset >= 0, let body = request.body else { return CURL_SEEKFUNC_FAIL }
        var fresh = body.makeReader()
        let skipped = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(offset, 1), 65_536), alignment: 1)
        defer { skipped.deallocate() }
        var left = offset
        while left > 0 {
            let read = fresh.read(into: UnsafeMutableRawBufferPointer(rebasing: skipped[..<min(left, skipped.count)]))
            if read == 0 { return CURL_SEEKFUNC_FAIL }
            left -= read
        }
        reader = fresh
        return CURL_SEEKFUNC_OK
    }

    private func receiveLine(_ octets: UnsafeMutablePointer<CChar>?, count: Int) -> Int {
        let line = UnsafeRawBufferPointer(start: octets, count: count)
        guard head.parse(line) else {
            fault = TransferError(.tooLarge, "the header of the answer has more than \(HeadReading.limit) octets")
            return 0
        }
        return count
    }

    private func receive(_ octets: UnsafeMutablePointer<CChar>?, count: Int) -> Int {
        guard count > 0 else { return 0 }
        received += count
        guard received <= maximumAnswer else {
            fault = TransferError(.tooLarge, "the answer has more than \(maximumAnswer) octets")
            return 0
        }
        deliverHead()
        guard receiver.receive(UnsafeRawBufferPointer(start: octets, count: count)) else {
            fault = TransferError(.stoppedByReceiver, "the answer was not wanted any further")
            return 0
        }
        return count
    }

    private func deliverHead() {
        guard !hasDeliveredHead, let final = head.final else { return }
        hasDeliveredHead = true
        receiver.receive(final)
    }
}

/// Reads header lines as libcurl tells them: heads of interim answers first, then that of the final one.
struct HeadReading {
    /// Octets, interim answers included.
    static let limit = 65_536

    private var status = 0
    private var fields: [HTTPField] = []
    private var total = 0

    /// The head read last, when it is not an interim one.
    var final: HTTPHead? { status >= 200 ? HTTPHead(status: status, fields: fields) : nil }

    /// - Returns: false when there is too much.
    mutating func parse(_ line: UnsafeRawBufferPointer) -> Bool {
        total += line.count
        guard total <= Self.limit else { return false }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            let words = text.split(separator: " ", maxSplits: 2)
            status = words.count > 1 ? Int(words[1].prefix { $0.isNumber }) ?? 0 : 0
            fields = []
        } else if let colon = text.firstIndex(of: ":") {
            fields.append(HTTPField(Self.trimmed(text[..<colon]), Self.trimmed(text[text.index(after: colon)...])))
        }
        return true
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
