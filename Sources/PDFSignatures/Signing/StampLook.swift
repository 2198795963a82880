public import ImageReading

/// The texts and pictures of a stamp besides the signed values.
public struct StampLook: Sendable, Hashable {
    /// The place of the picture.
    public enum ImagePlace: String, Sendable, CaseIterable {
        /// To the left of the text, at most two fifths of the width.
        case beside
        /// Under the text, in the middle.
        case behind
    }

    /// The text before the signer's name, in the first line; in any language, as the others.
    public var signedBy = "Digitally signed by"
    /// The texts before the reason, the location and the time. Each may be empty.
    public var reason = "Reason:"
    public var location = "Location:"
    public var date = "Date:"
    /// A logo, or a signature by hand.
    public var image: RasterImage?
    public var imagePlace = ImagePlace.beside
    /// The size of a stamp in a new field, in points. With nil 200 by 64, or less on a small page. An existing field
    /// keeps its size.
    public var width: Double?
    public var height: Double?

    public init() {}

    /// The lines of a stamp, the most important first.
    func lines(name: String, reason givenReason: String?, location givenLocation: String?, time: String) -> [String] {
        func line(_ label: String, _ value: String) -> String { label.isEmpty ? value : label + " " + value }
        var lines = [line(signedBy, name)]
        if let givenReason { lines.append(line(reason, givenReason)) }
        if let givenLocation { lines.append(line(location, givenLocation)) }
        return lines + [line(date, time)]
    }
}
