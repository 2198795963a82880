/// How a PDF is to be signed.
public struct PDFSignatureOptions: Sendable {
    /// A place on the page as it is seen. The numbers are those of SIGNING_AREA.
    public enum Area: Int, Sendable, CaseIterable {
        case topLeft = 1, topRight, centre, bottomLeft, bottomRight
    }

    /// The signer's name, for the signature and its stamp.
    public var signerName: String
    /// When it is signed, in Unix seconds; a claim, no proof.
    public var time: Int
    public var reason: String?
    public var location: String?
    public var contactInfo: String?
    /// Whether a stamp shows. nil: where an area or a page is given, or the field that is used has a rectangle.
    public var isVisible: Bool?
    /// Where on the page a new field is made. The lower right where only a page is given.
    public var area: Area?
    /// The page of a new field, from 1. The first where only an area is given.
    public var page: Int?
    /// An empty signature field of the document, by its full name. nil: the one empty field of a document that has
    /// exactly one, unless an area or page is given; else a new field.
    public var fieldName: String?
    /// Room for the CMS, in octets.
    public var reservedOctets: Int
    /// What the CMS will be made with; only compared with what the field demands (seed values).
    public var digestMethod: String
    public var hasTimestamp: Bool
    /// What a stamp looks like.
    public var look = StampLook()

    public init(
        signerName: String, time: Int, reason: String? = nil, location: String? = nil, contactInfo: String? = nil,
        isVisible: Bool? = nil, area: Area? = nil, page: Int? = nil, fieldName: String? = nil,
        reservedOctets: Int = 16_384, digestMethod: String = "SHA256", hasTimestamp: Bool = false
    ) {
        self.signerName = signerName
        self.time = time
        self.reason = reason
        self.location = location
        self.contactInfo = contactInfo
        self.isVisible = isVisible
        self.area = area
        self.page = page
        self.fieldName = fieldName
        self.reservedOctets = reservedOctets
        self.digestMethod = digestMethod
        self.hasTimestamp = hasTimestamp
    }
}
