public import Octets

/// A request as it goes over HTTP.
public struct EncodedRequest: Sendable {
    /// Header fields that the body asks for: Content-Type, Accept, SOAPAction.
    public let fields: [(name: String, value: String)]
    /// Its count is the Content-Length.
    public let body: OctetRope
}
