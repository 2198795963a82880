/// The capabilities that a server announces in reply to EHLO (RFC 5321 §4.1.1.1).
public struct SMTPCapabilities: Sendable, Hashable {
    /// The most octets of a message (RFC 1870); nil when it states none.
    public internal(set) var sizeLimit: Int?
    /// SIZE is offered, with a limit or without.
    public internal(set) var takesSize = false
    /// 8BITMIME (RFC 6152).
    public internal(set) var takesEightBit = false
    /// SMTPUTF8 (RFC 6531).
    public internal(set) var takesUTF8Addresses = false
    /// PIPELINING (RFC 2920).
    public internal(set) var pipelines = false
    /// DSN (RFC 3461).
    public internal(set) var takesDSN = false
    /// ENHANCEDSTATUSCODES (RFC 2034).
    public internal(set) var hasEnhancedStatus = false

    /// The capabilities of a server that knows only HELO.
    public init() {}

    /// - Parameter lines: Those of the reply to EHLO without their code; the first is the server's name.
    public init(ehloLines lines: [String]) {
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            switch words.first?.uppercased() {
            case "SIZE":
                takesSize = true
                // 0 means: no fixed limit.
                if words.count > 1, let limit = Int(words[1]), limit > 0 { sizeLimit = limit }
            case "8BITMIME": takesEightBit = true
            case "SMTPUTF8": takesUTF8Addresses = true
            case "PIPELINING": pipelines = true
            case "DSN": takesDSN = true
            case "ENHANCEDSTATUSCODES": hasEnhancedStatus = true
            default: break
            }
        }
    }
}
