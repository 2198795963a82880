/// The options for signing a PDF.
public struct PDFSignatureOptions: Sendable {
    /// A place in the view of the page. The numbers are those of SIGNING_AREA.
    public enum Area: Int, Sendable, CaseIterable {
        case topLeft = 1, topRight, centre, bottomLeft, bottomRight
    }

    /// The signer's name, for the signature and its stamp.
    public var signerName: String
    /// The time of signing, in Unix seconds; a claim without proof.
    public var time: Int
    public var reason: String?
    public var location: String?
    public var contactInfo: String?
    /// True if there is a visible stamp. With nil there is one if an area or a page is given, or the field that is used
    /// has a rectangle.
    public var isVisible: Bool?
    /// The place on the page where a new field is made. The lower right if only a page is given.
    public var area: Area?
    /// The page of a new field, from 1. The first where only an area is given.
    public var page: Int?
    /// An empty signature field of the document, by its full name. nil: the one empty field of a document that has
    /// exactly one, unless an area or page is given; else a new field.
    public var fieldName: String?
    /// Room for the CMS, in octets.
    public var reservedOctets: Int
    /// The digest that the CMS will use; only compared with the field's requirements (seed values).
    public var digestMethod: String
    public var hasTimestamp: Bool
    /// The appearance of a stamp.
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
