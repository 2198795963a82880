public import Octets

/// Gets what certificates name as source of revocation data. Calls may block; they come from the verifier's thread.
///
/// The conformer bounds time and size, follows no redirects to other schemes, and reaches only what it wants reached:
/// the addresses come from certificates whose path leads to an anchor, which is all that is known of them.
public protocol RevocationSource: Sendable {
    /// Gets `url` (http or https).
    /// - Returns: The answer's body.
    /// - Throws: ``CryptographyError`` if no list is received.
    func fetch(_ url: String) throws(CryptographyError) -> OctetString
    /// Sends `request` as `application/ocsp-request` by POST to `url` (http or https).
    /// - Returns: The answer's body.
    /// - Throws: ``CryptographyError`` if no answer is received.
    func post(_ request: OctetString, to url: String) throws(CryptographyError) -> OctetString
}

/// Revocation data that came with a signature, or that one was judged by.
public struct RevocationEvidence: Sendable {
    public var lists: [RevocationList]
    public var responses: [OCSPResponse]

    public init(lists: [RevocationList] = [], responses: [OCSPResponse] = []) {
        self.lists = lists
        self.responses = responses
    }

    /// Makes evidence from CRLs and OCSP responses in DER. They are untrusted, so those that cannot be read are left
    /// out, and those beyond ``maximumCount`` too.
    public init(listsInDER lists: [OctetString], responsesInDER responses: [OctetString]) {
        self.init()
        for octets in lists.prefix(Self.maximumCount) {
            do throws(CryptographyError) { self.lists.append(try RevocationList(der: octets)) } catch { continue }
        }
        for octets in responses.prefix(Self.maximumCount) {
            do throws(CryptographyError) { self.responses.append(try OCSPResponse(octets)) } catch { continue }
        }
    }

    /// The most lists, and the most responses, that are looked at.
    public static let maximumCount = 64

    public var isEmpty: Bool { lists.isEmpty && responses.isEmpty }

    func joined(with other: RevocationEvidence) -> RevocationEvidence {
        RevocationEvidence(
            lists: Array((lists + other.lists).prefix(Self.maximumCount)),
            responses: Array((responses + other.responses).prefix(Self.maximumCount)))
    }
}
