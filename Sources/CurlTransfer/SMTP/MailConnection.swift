import CCurl
import Glibc

/// A connection to a mail server on which greeting, EHLO, TLS and AUTH are done, and all that follows is the caller's.
///
/// Its calls block, so it belongs on a thread of its own and is used by one thread at a time. Dropping it closes the
/// connection without QUIT.
public final class MailConnection {
    private let handle: EasyHandle
    /// libcurl's callbacks have its address.
    private let opening: MailOpening
    private let socket: Int32
    private let interruption: Interruption?
    /// The lines of the last reply to EHLO without their code, the server's name first; empty when it knows only HELO.
    public let capabilityLines: [String]
    public let isEncrypted: Bool
    /// The IP address connected to.
    public let peerAddress: String
    /// The reason why an opportunistic connection goes on in clear although the server offered STARTTLS.
    public let encryptionFailure: MailConnectionError?

    /// Connects and does what comes before the first MAIL.
    ///
    /// Blocks for at most the settings' opening timeout, twice that when an opportunistic handshake failed.
    /// - Throws: ``MailConnectionError`` if the server is not reached, or encryption is required and fails.
    public static func open(
        _ settings: MailConnectionSettings, interruption: Interruption? = nil
    ) throws(MailConnectionError) -> MailConnection {
        do throws(MailConnectionError) {
            return try MailOpening(settings, settings.effectiveEncryption, interruption).open(after: nil)
        } catch {
            guard settings.effectiveEncryption == .opportunistic, error.isOfEncryption else { throw error }
            return try MailOpening(settings, .off, interruption).open(after: error)
        }
    }

    init(
        _ handle: EasyHandle, socket: Int32, by opening: MailOpening, interruption: Interruption?,
        encryptionFailure: MailConnectionError?
    ) {
        self.handle = handle
        self.opening = opening
        self.socket = socket
        self.interruption = interruption
        self.encryptionFailure = encryptionFailure
        capabilityLines = opening.capabilityLines
        isEncrypted = opening.isEncrypted
        peerAddress = handle.text(CURLINFO_PRIMARY_IP) ?? ""
    }

    /// Sends all of `octets`.
    /// - Throws: ``MailConnectionError`` of phase ``MailConnectionError/Phase/open``: then the last octet has not
    ///   reached the peer.
    public func send(
        _ octets: UnsafeRawBufferPointer, until deadline: ContinuousClock.Instant
    ) throws(MailConnectionError) {
        var sent = 0
        while sent < octets.count {
            var count = 0
            let code = ccurl_easy_send(handle.raw, octets.baseAddress?.advanced(by: sent), octets.count - sent, &count)
            switch code {
            case CURLE_OK: sent += count
            case CURLE_AGAIN: try wait(for: Int16(POLLOUT), until: deadline)
            default: throw lost(code)
            }
        }
    }

    /// Receives what is there, waiting for the first octet.
    /// - Parameter buffer: Not empty.
    /// - Returns: The number of octets; 0 when the peer has closed.
    /// - Throws: ``MailConnectionError`` if the connection breaks or the time is over.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer, until deadline: ContinuousClock.Instant
    ) throws(MailConnectionError) -> Int {
        while true {
            var count = 0
            let code = ccurl_easy_recv(handle.raw, buffer.baseAddress, buffer.count, &count)
            switch code {
            case CURLE_OK: return count
            // Octets may be waiting within TLS, so the socket is asked only after libcurl.
            case CURLE_AGAIN: try wait(for: Int16(POLLIN), until: deadline)
            default: throw lost(code)
            }
        }
    }

    /// True if the peer has closed the connection or sent something. Between two dialogues it must not send, so both
    /// mean that the connection is over. The octets that were sent are lost.
    public var hasNews: Bool {
        var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 0) != 0 else { return false }
        // Octets of TLS itself, such as session tickets, are nothing that was said.
        var octet: UInt8 = 0
        var count = 0
        return ccurl_easy_recv(handle.raw, &octet, 1, &count) != CURLE_AGAIN
    }

    /// Ends the connection for both sides at once; what follows fails.
    public func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

    private func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws(MailConnectionError) {
        while true {
            if interruption?.isRaised == true { throw MailConnectionError(.interrupted, .open, "stopped on request") }
            let left = deadline - ContinuousClock.now
            guard left > .zero else {
                throw MailConnectionError(
                    .timeout, .open, events == Int16(POLLIN) ? "no reply in time" : "the peer takes no more octets")
            }
            var state = pollfd(fd: socket, events: events, revents: 0)
            let count = poll(&state, 1, Int32(min(left.milliseconds, 500)))
            if count > 0 { return }
            guard count == 0 || errno == EINTR else {
                throw MailConnectionError(.internal, .open, "poll: errno \(errno)")
            }
        }
    }

    private func lost(_ code: CURLcode) -> MailConnectionError {
        let words = handle.errorWords
        return MailConnectionError(.lost, .open, words.isEmpty ? String(cString: ccurl_easy_strerror(code)) : words)
    }
}

extension MailConnectionError {
    /// True if another try without STARTTLS may succeed.
    fileprivate var isOfEncryption: Bool {
        switch phase {
        case .startTLS, .handshake:
            switch kind {
            case .interrupted, .internal, .settings, .machine: false
            default: true
            }
        case .connect, .greeting, .ehlo, .auth, .open: false
        }
    }
}

extension MailConnectionSettings {
    /// Credentials that must not go in clear make opportunistic encryption a demand.
    var effectiveEncryption: Encryption {
        guard encryption == .opportunistic, credentials?.exposure == .underTLS else { return encryption }
        return .startTLS(.unverified)
    }
}
