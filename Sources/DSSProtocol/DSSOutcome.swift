/// The outcome of one call to the signing server.
public enum DSSOutcome: Sendable {
    case signed(SigningAnswer)
    case verified(VerificationAnswer)
    /// The server, or the reader of its answer, said no.
    case refused(Refusal)
    /// Nothing that could be called an answer came back.
    case unreachable(Unreachability)

    /// Returns true if the same call may succeed later or elsewhere. False for a result.
    public func isTransient(in dialect: Dialect) -> Bool {
        switch self {
        case .signed, .verified: false
        case .refused(let refusal): refusal.isTransient(in: dialect)
        case .unreachable: true
        }
    }
}

/// A refusal: its source and its words.
public struct Refusal: Error, Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// A DSS Result.
        case result(ResultMajor, ResultMinor?)
        /// Header fields of an answer without a body (docs/dss-protocol.md, Refusals without a document).
        case headerFields
        /// A SOAP fault that blames the request.
        case clientFault
        /// A SOAP fault that blames the server, or no side.
        case serverFault
        /// An HTTP status.
        case status(Int)
        /// The answer was read, and is not what may be accepted.
        case reader
    }
    public let source: Source
    /// The number in ERROR_CODE or in `[Error-41003]`, where there is one.
    public let errorCode: Int?
    /// The server's words, or the reader's: one bounded line without control characters.
    public let message: String
    /// The answer's body as received, where it was kept.
    public let answer: String?
    /// The seconds by which the server's clock is ahead of ours, if one of them is wrong.
    public private(set) var clockDifference: Int?

    public init(_ source: Source, errorCode: Int? = nil, message: String, answer: String? = nil) {
        self.source = source
        self.errorCode = errorCode ?? Self.errorCode(in: message)
        self.message = message
        self.answer = answer
    }

    /// Returns true if the same call may succeed later or at the secondary address.
    public func isTransient(in dialect: Dialect) -> Bool {
        if case .reader = source { return false }
        if dialect.isTransient(message) || Self.passingErrorCodes.contains(errorCode ?? 0) { return true }
        switch source {
        case .result(let major, let minor):
            if minor?.isUnknownClient == true { return true }
            // By a clock that is wrong a certificate has expired, or is not valid yet.
            if minor?.isKeyLookupFailed == true, clockDifference != nil { return true }
            return major == .responderError && minor?.isKeyLookupFailed != true
        case .serverFault: return true
        case .clientFault, .headerFields, .status, .reader: return false
        }
    }

    /// The same, as told at `date` by the server's clock; both in Unix seconds.
    public func given(at date: Int, now: Int) -> Refusal {
        guard case .result(_, let minor?) = source, minor.isKeyLookupFailed, abs(date - now) > Self.clockTolerance
        else {
            return self
        }
        let words = "\(message); its clock and ours differ by \(abs(date - now)) s: set the one that is wrong"
        var refusal = Refusal(source, errorCode: errorCode, message: words, answer: answer)
        refusal.clockDifference = date - now
        return refusal
    }

    /// Seconds by which two clocks may differ that are both right.
    private static let clockTolerance = 3_600

    /// True if the refusal is about the document, and not about the client or the request.
    public var isAboutDocument: Bool {
        guard case .result(_, let minor?) = source else { return false }
        return [ResultMinor.inappropriateSignature, .notParseableXMLDocument].contains { $0.word == minor.word }
    }

    /// True if the cause is likely our own configuration.
    public var pointsAtConfiguration: Bool {
        if clockDifference != nil { return true }
        if case .result(_, let minor) = source { return minor?.isUnknownClient == true }
        return false
    }

    /// ADSS: the service is stopped; an internal error.
    private static let passingErrorCodes: Set<Int> = [41_003, 41_004]

    /// The number of `[Error-NNNNN]` in an ADSS message.
    static func errorCode(in message: String) -> Int? {
        let mark = Array("[Error-".utf8)
        let octets = Array(message.utf8)
        guard octets.count > mark.count else { return nil }
        for start in 0..<(octets.count - mark.count) where octets[start..<start + mark.count].elementsEqual(mark) {
            let digits = octets[(start + mark.count)...].prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        return nil
    }
}

/// The reason why there was no answer.
public struct Unreachability: Error, Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// The address is no URL that can be used.
        case address
        /// Name resolution, connection, or its loss.
        case connection
        case timeout
        /// The server's certificate or the handshake.
        case tls
        /// The TLS client certificate could not be used.
        case clientCertificate
        /// The HTTP proxy refused.
        case proxy
        /// An HTTP status that says that this is not, or not now, the service.
        case status(Int)
        /// Something came back that is no DSS answer.
        case noAnswer
        /// The answer could not be kept here: no room.
        case storage
        /// This machine has no descriptors or no memory left; nothing was sent.
        case machine
        /// The address did not answer a moment ago; nothing was sent.
        case notTried
        /// The call was given up from our side.
        case cancelled
    }
    public let kind: Kind
    /// The event, in one line of bounded length without control characters and without credentials.
    public let message: String
    /// The errno of a fault of this machine, such as a full disk; nil when it was none.
    public let localFault: Int32?

    public init(_ kind: Kind, _ message: String, localFault: Int32? = nil) {
        self.kind = kind
        self.message = message
        self.localFault = localFault
    }

    /// True if the cause is likely our own configuration.
    public var pointsAtConfiguration: Bool {
        switch kind {
        case .status(let status): [301, 302, 303, 307, 308, 401, 403, 404, 407].contains(status)
        case .address, .tls, .clientCertificate, .proxy: true
        case .connection, .timeout, .noAnswer, .storage, .machine, .notTried, .cancelled: false
        }
    }
}
