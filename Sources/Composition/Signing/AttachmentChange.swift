public import Octets

/// The change that signing makes to an attachment.
public enum AttachmentChange: Sendable {
    /// A document that holds its signature, in the place of the one without: name, media type and disposition stay.
    /// `charset` goes into the media type if it has such a parameter; nil leaves the parameter unchanged.
    case replaced(any OctetSource, charset: String?)
    /// A CMS that encloses the file, in its place, under its own name (RFC 8551 §3.2).
    case enclosed(any OctetSource, name: String)
    /// The file unchanged, and its detached CMS beside it. `content` is the file without transfer encoding, which was
    /// signed.
    case accompanied(content: any OctetSource, signature: any OctetSource, name: String)
}
