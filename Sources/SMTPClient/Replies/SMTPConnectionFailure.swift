import CurlTransfer

extension SMTPFailure {
    /// Makes the failure of a connection that could not be made. It concerns the route, never a message.
    init(_ error: MailConnectionError, _ settings: MailConnectionSettings) {
        let phase = Phase(error.phase)
        let peer = "\(settings.host):\(settings.port)"
        if error.kind == .refused, let reply = SMTPReply(receivedLines: error.replyLines),
            reply.severity == .permanent || reply.severity == .transient
        {
            self.init(reply, .route, phase, "\(peer), \(phase.words):")
            return
        }
        if case .machine(let errno) = error.kind {
            self.init(machineFault: errno, phase, "\(peer), \(phase.words): \(error.detail)")
            return
        }
        let (permanence, subject, detail) = Self.classification(error.kind)
        self.init(
            permanence, .route, phase, status: (subject, detail), "\(peer), \(phase.words): \(error.detail)")
    }

    private static func classification(_ kind: MailConnectionError.Kind) -> (Permanence, Int, Int) {
        switch kind {
        // Only an administrator can correct these.
        case .settings: (.permanent, 3, 5)
        case .noMechanism, .noSTARTTLS: (.permanent, 7, 0)
        // A certificate may be renewed, a name may come back.
        case .tls: (.transient, 7, 5)
        case .unresolved: (.transient, 4, 4)
        case .unreachable: (.transient, 4, 1)
        case .lost, .timeout: (.transient, 4, 2)
        case .refused, .notSMTP: (.transient, 5, 0)
        case .interrupted, .internal, .machine: (.transient, 3, 0)
        }
    }
}

extension SMTPFailure.Phase {
    fileprivate init(_ phase: MailConnectionError.Phase) {
        self =
            switch phase {
            case .connect: .connect
            case .greeting: .greeting
            case .ehlo: .ehlo
            case .startTLS: .startTLS
            case .handshake: .handshake
            case .auth: .auth
            case .open: .mail
            }
    }
}

extension SMTPReply {
    /// Finds a reply in lines as received.
    fileprivate init?(receivedLines lines: [String]) {
        guard let code = lines.last.flatMap({ Int($0.prefix(3)) }) else { return nil }
        self.init(code: code, lines: lines.map { String($0.dropFirst(4)) })
    }
}
