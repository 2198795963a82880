import Octets
import PDFStructure

/// Follows a content stream (ISO 32000-1 §7.8.2) and notes what it paints and where, without drawing it.
///
/// It errs towards more: what is clipped by a shape is taken for clipped by the rectangle around that, a curve for the
/// rectangle around its parts, and what optional content hides for shown.
struct ContentPainter {
    /// The limit on forms within one another.
    private static let deepest = 24
    /// More than the operations of a page.
    private static let maximumOperations = 2_000_000

    let file: PDFFile
    let revision: Int
    var painting: Painting
    var state = GraphicsState()
    var path = PaintedPath()
    private var saved: [GraphicsState] = []
    private var operations = 0
    private var depth = 0
    /// Fonts by the dictionaries that they were read from.
    private var fonts: [PDFValue: TextFont] = [:]

    init(_ file: PDFFile, revision: Int, within area: [Box]) {
        self.file = file
        self.revision = revision
        painting = Painting(within: area)
    }

    /// - Throws: ``PDFSyntaxError`` where it cannot be told what is painted.
    mutating func paint(_ content: [UInt8], _ resources: PDFDictionary) throws(PDFSyntaxError) {
        guard depth < Self.deepest else { throw PDFSyntaxError(.tooComplex, "forms deeper than \(Self.deepest)") }
        depth += 1
        let before = (state, saved)
        defer {
            (state, saved) = before
            depth -= 1
        }
        saved = []
        path = PaintedPath()
        try file.budget.spend(2 * content.count)
        var stream = ContentStream(OctetString(content))
        while let item = try stream.next() {
            operations += 1
            guard operations <= Self.maximumOperations, !painting.isTooMuch else {
                throw PDFSyntaxError(.tooComplex, "a page with more drawings than the limit")
            }
            switch item {
            case .inlineImage: addPicture(Quad(Box(left: 0, bottom: 0, right: 1, top: 1), state.matrix))
            case .operation(let name, let operands): try perform(name, operands, resources)
            }
        }
    }

    private mutating func perform(
        _ name: String, _ operands: [PDFValue], _ resources: PDFDictionary
    ) throws(PDFSyntaxError) {
        switch name {
        case "q":
            guard saved.count < 512 else { throw PDFSyntaxError(.tooComplex, "graphics states deeper than 512") }
            saved.append(state)
        case "Q": if let last = saved.popLast() { state = last }
        case "cm":
            if let matrix = Matrix(operands.map { $0.number ?? .nan }) { state.matrix = matrix.then(state.matrix) }
        case "w": if let width = operands.first?.number { state.lineWidth = width }
        case "gs": try setParameters(try resource("ExtGState", operands.first, resources))
        case "Do": try paintObject(try reference("XObject", operands.first, resources))
        case "sh": addPicture(nil)
        default:
            if try interpretColour(name, operands, resources) { return }
            if interpretPath(name, operands.map { $0.number ?? 0 }) { return }
            try interpretText(name, operands, resources)
        }
    }

    // MARK: Resources

    private func reference(
        _ kind: String, _ name: PDFValue?, _ resources: PDFDictionary
    ) throws(PDFSyntaxError) -> PDFValue {
        guard let name = name?.name else { return .null }
        return try file.resolved(resources[kind], in: revision).dictionary?[name] ?? .null
    }

    func resource(
        _ kind: String, _ name: PDFValue?, _ resources: PDFDictionary
    ) throws(PDFSyntaxError) -> PDFDictionary? {
        try file.resolved(try reference(kind, name, resources), in: revision).dictionary
    }

    mutating func font(_ name: PDFValue?, _ resources: PDFDictionary) throws(PDFSyntaxError) -> TextFont? {
        let value = try reference("Font", name, resources)
        if let known = fonts[value] { return known }
        guard let dictionary = try file.resolved(value, in: revision).dictionary else { return nil }
        let font = try TextFont(dictionary, file, revision)
        fonts[value] = font
        return font
    }

    func numbers(_ value: PDFValue) throws(PDFSyntaxError) -> [Double]? {
        guard let items = try file.resolved(value, in: revision).array, items.count <= 16 else { return nil }
        var numbers: [Double] = []
        for item in items {
            guard let number = try file.resolved(item, in: revision).number, number.isFinite else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// §8.4.5.
    private mutating func setParameters(_ parameters: PDFDictionary?) throws(PDFSyntaxError) {
        guard let parameters else { return }
        if let width = try file.resolved(parameters["LW"], in: revision).number { state.lineWidth = width }
        if let opacity = try file.resolved(parameters["ca"], in: revision).number {
            state.fillOpacity = min(max(opacity, 0), 1)
        }
        if let opacity = try file.resolved(parameters["CA"], in: revision).number {
            state.strokeOpacity = min(max(opacity, 0), 1)
        }
        if let font = try file.resolved(parameters["Font"], in: revision).array, font.count == 2,
            let dictionary = try file.resolved(font[0], in: revision).dictionary
        {
            state.text.font = try TextFont(dictionary, file, revision)
            state.text.size = font[1].number ?? 0
        }
    }

    // MARK: Objects

    /// A picture or a form (§8.8).
    private mutating func paintObject(_ value: PDFValue) throws(PDFSyntaxError) {
        guard let reference = value.reference, let object = try file.object(reference.number, in: revision),
            let dictionary = object.value.dictionary
        else { return }
        if dictionary["Subtype"].name == "Form" {
            try paintForm(object, placed: Matrix())
        } else {
            addPicture(Quad(Box(left: 0, bottom: 0, right: 1, top: 1), state.matrix))
        }
    }

    /// A form (§8.10), in the coordinates that hold at present.
    /// - Parameter placed: The transformation of the form's own coordinates after its matrix.
    mutating func paintForm(_ object: IndirectObject, placed: Matrix) throws(PDFSyntaxError) {
        guard let dictionary = object.value.dictionary else { return }
        let before = (state, path)
        defer { (state, path) = before }
        let own = Matrix(try numbers(dictionary["Matrix"])) ?? Matrix()
        state.matrix = own.then(placed).then(state.matrix)
        if let box = Box(try numbers(dictionary["BBox"])), let bounds = Quad(box, state.matrix).bounds {
            state.narrow(to: bounds)
        }
        let resources = try file.resolved(dictionary["Resources"], in: revision).dictionary
        try paint(try file.content(of: object, in: revision), resources ?? PDFDictionary())
    }

    /// - Parameter quad: nil for everything that is not clipped away.
    mutating func addPicture(_ quad: Quad?) {
        let everywhere = state.clip ?? Box(left: -1e6, bottom: -1e6, right: 1e6, top: 1e6)
        painting.add(PaintedMark(.picture, quad ?? Quad(everywhere), clip: state.clip, opacity: state.fillOpacity))
    }
}
