import HostProcess
import ImageReading
import Octets
import PDFSignatures
import XMLReading

/// The settings of a signing profile for PDF signatures, as profiles of ADSS have them. A request may override each
/// except the appearance.
struct PDFDefaults: Sendable {
    var reason: String?
    var location: String?
    var contactInfo: String?
    var area: PDFSignatureOptions.Area?
    var page: Int?
    var isVisible: Bool?
    var look = StampLook()
}

extension DSSConfigurationReading {
    static let pdfAttributes: Set<String> = ["reason", "location", "contact", "area", "page", "visible"]
    private static let appearanceAttributes: Set<String> = [
        "signedByLabel", "reasonLabel", "locationLabel", "dateLabel", "image", "imagePlace", "width", "height",
    ]
    /// In points: a stamp can be read, and is no page.
    private static let sizes = 10.0...2_000.0

    /// The defaults of a profile that signs PDFs.
    func pdfDefaults(
        _ element: XMLElement, _ format: SigningServerConfiguration.SigningProfile.Format
    ) -> PDFDefaults {
        var defaults = PDFDefaults()
        guard format == .pdf || format == .auto else {
            if let name = Self.pdfAttributes.sorted().first(where: { element.attribute($0) != nil }) {
                fault(element, "\(name)=\"…\" is for format=\"pdf\" and \"auto\", not for \(format.rawValue)")
            }
            if let appearance = single("Appearance", in: element) {
                fault(appearance, "<Appearance> is for format=\"pdf\" and \"auto\", not for \(format.rawValue)")
            }
            return defaults
        }
        func text(_ name: String) -> String? { element.attribute(name).flatMap { $0.isEmpty ? nil : $0 } }
        defaults.reason = text("reason")
        defaults.location = text("location")
        defaults.contactInfo = text("contact")
        if let area = element.attribute("area") {
            defaults.area = Int(area).flatMap(PDFSignatureOptions.Area.init(rawValue:))
            if defaults.area == nil { fault(element, "area=\"\(area)\": expected a number from 1 to 5") }
        }
        if let page = element.attribute("page") {
            defaults.page = Int(page).flatMap { $0 > 0 ? $0 : nil }
            if defaults.page == nil { fault(element, "page=\"\(page)\": expected a page number from 1") }
        }
        if element.attribute("visible") != nil { defaults.isVisible = flag("visible", of: element) }
        if let appearance = single("Appearance", in: element) { defaults.look = look(appearance) }
        return defaults
    }

    private func look(_ element: XMLElement) -> StampLook {
        inspect(element, attributes: Self.appearanceAttributes)
        var look = StampLook()
        look.signedBy = element.attribute("signedByLabel") ?? look.signedBy
        look.reason = element.attribute("reasonLabel") ?? look.reason
        look.location = element.attribute("locationLabel") ?? look.location
        look.date = element.attribute("dateLabel") ?? look.date
        look.width = size("width", element)
        look.height = size("height", element)
        look.image = element.attribute("image").flatMap { image($0, element) }
        if element.attribute("imagePlace") != nil {
            if element.attribute("image") == nil { fault(element, "imagePlace=\"…\" needs an image=\"…\"") }
            look.imagePlace = choice("imagePlace", of: element) ?? look.imagePlace
        }
        return look
    }

    private func size(_ name: String, _ element: XMLElement) -> Double? {
        guard let text = element.attribute(name) else { return nil }
        guard let size = Double(text), Self.sizes.contains(size) else {
            fault(
                element,
                "\(name)=\"\(text)\": expected points from \(Int(Self.sizes.lowerBound)) to \(Int(Self.sizes.upperBound))"
            )
            return nil
        }
        return size
    }

    private func image(_ path: String, _ element: XMLElement) -> RasterImage? {
        let place = resolved(path)
        switch SmallFile.read(place, limit: 4 << 20) {
        case .failure(let error):
            fault(element, "the image cannot be read: \(error)")
            return nil
        case .success(let octets):
            do throws(ImageError) { return try RasterImage(png: octets) } catch {
                fault(element, "the image \(place) cannot be used: \(error.reason)")
                return nil
            }
        }
    }
}
