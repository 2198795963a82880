import CCurl

/// One attempt to open a connection: libcurl's callbacks, and what they tell of the phase and the replies.
///
/// libcurl says only that something failed; which reply did it is known from watching the lines.
final class MailOpening {
    private let settings: MailConnectionSettings
    private let encryption: MailConnectionSettings.Encryption
    private let interruption: Interruption?
    private var phase = MailConnectionError.Phase.connect
    /// Lines of the reply that is being received, or was received last in this phase.
    private var reply: [String] = []
    private var isReplyComplete = false
    private var octetsOfReply = 0
    private var ehloReply: [String] = []
    private var refusedEHLO: [String] = []
    private(set) var isEncrypted = false
    /// The fault that a callback found; libcurl then only knows that it was stopped.
    private var fault: (kind: MailConnectionError.Kind, detail: String)?

    /// The most octets of one reply; EHLO's is the longest by far.
    private static let maximumReplyLength = 65_536

    init(
        _ settings: MailConnectionSettings, _ encryption: MailConnectionSettings.Encryption,
        _ interruption: Interruption?
    ) {
        self.settings = settings
        self.encryption = encryption
        self.interruption = interruption
    }

    var capabilityLines: [String] { ehloReply.map { String($0.dropFirst(4)) } }

    /// - Parameter failure: The reason why this attempt is made without encryption.
    func open(after failure: MailConnectionError?) throws(MailConnectionError) -> MailConnection {
        if encryption == .off, settings.credentials?.exposure == .underTLS {
            throw MailConnectionError(
                .settings, .connect,
                "credentials are set and encryption is off; they would go in clear: switch on TLS, or allow it")
        }
        let handle: EasyHandle
        do throws(TransferError) {
            handle = try EasyHandle()
            try handle.apply(settings, encryption)
            let context = Unmanaged.passUnretained(self).toOpaque()
            try handle.setCallback(
                CURLOPT_HEADERFUNCTION, { MailOpening.from($3).receive($0, count: $1 * $2) }, CURLOPT_HEADERDATA,
                context)
            try handle.setProgressCallback(
                { context, _, _, _, _ in MailOpening.from(context).isInterrupted ? 1 : 0 }, context)
            try handle.setDebugCallback(
                { _, type, octets, count, context in
                    if type == CURLINFO_HEADER_OUT { MailOpening.from(context).note(octets, count: count) }
                    return 0
                }, context)
        } catch {
            throw MailConnectionError(error, .connect)
        }
        let code = withExtendedLifetime(self) { ccurl_easy_perform(handle.raw) }
        guard code == CURLE_OK else { throw error(code, handle) }
        try checkMechanisms()
        do throws(TransferError) {
            // From here on libcurl only carries octets.
            try handle.set(CURLOPT_VERBOSE, 0)
            try handle.set(CURLOPT_NOPROGRESS, 1)
            return MailConnection(
                handle, socket: try handle.activeSocket(), by: self, interruption: interruption,
                encryptionFailure: failure)
        } catch {
            throw MailConnectionError(error, .open)
        }
    }

    /// libcurl continues without AUTH if the server offers none; the mail would be refused later and less clearly.
    private func checkMechanisms() throws(MailConnectionError) {
        if settings.credentials != nil, phase != .auth { throw noMechanism }
    }

    private var noMechanism: MailConnectionError {
        MailConnectionError(
            .noMechanism, .auth, replyLines: ehloReply,
            "credentials are set, and the server offers no mechanism of AUTH for them")
    }

    private func error(_ code: CURLcode, _ handle: EasyHandle) -> MailConnectionError {
        // A connection stands, so what was waited for is the greeting.
        if phase == .connect, handle.hasReached(CURLINFO_CONNECT_TIME_T),
            !encryption.isImplicit || handle.hasReached(CURLINFO_APPCONNECT_TIME_T)
        {
            phase = .greeting
        }
        // After a refused EHLO libcurl tries HELO; a server that goes then has said why before.
        if phase == .ehlo, reply.isEmpty, !refusedEHLO.isEmpty { (reply, isReplyComplete) = (refusedEHLO, true) }
        if let fault { return MailConnectionError(fault.kind, phase, replyLines: reply, fault.detail) }
        if let errno = handle.machineFault(behind: code) {
            let fault = TransferError(machineFault: errno, "no connection can be made from here")
            return MailConnectionError(fault, phase)
        }
        let words = handle.errorWords
        let detail = words.isEmpty ? String(cString: ccurl_easy_strerror(code)) : words
        let kind = kind(of: code)
        // A refusal tells more than that the peer closed after it.
        if kind == .refused || (kind == .lost && isRefusal) {
            return MailConnectionError(.refused, phase, replyLines: reply, reply.joined(separator: " / "))
        }
        if kind == .noMechanism { return noMechanism }
        return MailConnectionError(kind, phase, replyLines: reply, detail)
    }

    private var isRefusal: Bool { isReplyComplete && (reply.last?.first == "4" || reply.last?.first == "5") }

    private func kind(of code: CURLcode) -> MailConnectionError.Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: .unresolved
        case CURLE_COULDNT_CONNECT: .unreachable
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING: .lost
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_ABORTED_BY_CALLBACK: .interrupted
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS:
            .tls
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_INTERFACE_FAILED, CURLE_SSL_CACERT_BADFILE:
            .settings
        case CURLE_WEIRD_SERVER_REPLY: isRefusal ? .refused : .notSMTP
        case CURLE_REMOTE_ACCESS_DENIED: .refused
        case CURLE_USE_SSL_FAILED: phase == .startTLS ? .refused : .noSTARTTLS
        case CURLE_LOGIN_DENIED: isRefusal ? .refused : .noMechanism
        case CURLE_AUTH_ERROR: .refused
        default: .internal
        }
    }

    // MARK: - Called from C

    private static func from(_ context: UnsafeMutableRawPointer?) -> MailOpening {
        guard let context else { preconditionFailure("libcurl called back without its context") }
        return Unmanaged<MailOpening>.fromOpaque(context).takeUnretainedValue()
    }

    private var isInterrupted: Bool {
        guard interruption?.isRaised == true else { return false }
        fault = (.interrupted, "stopped on request")
        return true
    }

    /// A command is sent: only its verb is noted, because the rest may be a password.
    private func note(_ octets: UnsafeMutablePointer<CChar>?, count: Int) {
        guard let octets else { return }
        let line = UnsafeRawBufferPointer(start: octets, count: count)
        let verb = String(decoding: line.prefix { $0 > 0x20 }.prefix(8), as: UTF8.self)
        switch verb {
        case "EHLO", "HELO":
            if phase == .handshake { isEncrypted = true }
            phase = .ehlo
            ehloReply = []
        case "STARTTLS": phase = .startTLS
        case "AUTH": phase = .auth
        default: break
        }
        refusedEHLO = verb == "HELO" ? reply : []
        reply = []
        octetsOfReply = 0
        isReplyComplete = false
        isEhlo = verb == "EHLO"
    }

    private var isEhlo = false

    /// A line of a reply.
    /// - Returns: `count`, or 0 to stop.
    private func receive(_ octets: UnsafeMutablePointer<CChar>?, count: Int) -> Int {
        guard let octets else { return 0 }
        if phase == .connect {
            phase = .greeting
            isEncrypted = encryption.isImplicit
        }
        if isReplyComplete { (reply, octetsOfReply, isReplyComplete) = ([], 0, false) }
        octetsOfReply += count
        guard octetsOfReply <= Self.maximumReplyLength else {
            fault = (.notSMTP, "a reply of more than \(Self.maximumReplyLength) octets")
            return 0
        }
        let buffer = UnsafeRawBufferPointer(start: octets, count: count)
        var end = count
        while end > 0, buffer[end - 1] == 0x0A || buffer[end - 1] == 0x0D { end -= 1 }
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        let code = buffer[..<min(3, end)]
        let separator = end > 3 ? buffer[3] : 0x20
        // libcurl reads over such lines until its time is up.
        guard code.count == 3, code.allSatisfy({ (0x30...0x39).contains($0) }), separator == 0x20 || separator == 0x2D
        else {
            reply.append(TransferError.oneLine(line))
            fault = (.notSMTP, "what came is no reply of SMTP: \(TransferError.oneLine(line))")
            return 0
        }
        reply.append(TransferError.oneLine(line))
        isReplyComplete = separator == 0x20
        if isReplyComplete { noteReply() }
        return count
    }

    private func noteReply() {
        if isEhlo, reply.last?.first == "2" { ehloReply = reply }
        if phase == .startTLS, reply.last?.hasPrefix("220") == true { phase = .handshake }
    }
}

extension MailConnectionSettings.Encryption {
    var isImplicit: Bool {
        switch self {
        case .implicitTLS: true
        case .off, .opportunistic, .startTLS: false
        }
    }
}
