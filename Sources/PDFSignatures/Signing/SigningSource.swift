import Octets
import PDFStructure

/// The document that is to be signed, found fit for an incremental update (ISO 32000-1 §7.5.6).
struct SigningSource {
    let file: PDFFile
    let trailer: PDFDictionary
    let root: IndirectReference
    let catalog: PDFDictionary
    /// The lowest number that no object has or had.
    let firstFreeNumber: Int

    var document: OctetString { file.document }
    /// True if the newest cross-references are a table, and not a stream.
    var hasTable: Bool { file.sections[0].streamNumber == nil }

    init(_ document: OctetString) throws(PDFError) {
        // Room for the update is left: offsets are counted in 31 bits.
        guard document.count <= Int(Int32.max) - 64 << 20 else {
            throw PDFError(.tooComplex, "the PDF is too large to be signed: \(document.count) octets")
        }
        do throws(PDFSyntaxError) {
            file = try PDFFile(document, budget: WorkBudget())
        } catch {
            throw PDFError(error)
        }
        guard file.sections.allSatisfy({ $0.trailer["Encrypt"] == .null }) else {
            throw PDFError(.encrypted, "the PDF is encrypted; an encrypted document is not signed")
        }
        guard !file.sections.contains(where: \.isHybrid) else {
            throw PDFError(
                .unsupported,
                "the PDF has cross-references for old and for new readers (/XRefStm), which could show different documents"
            )
        }
        trailer = file.sections[0].trailer
        guard let root = trailer["Root"].reference else {
            throw PDFError(.damaged, "the trailer of the PDF names no catalog")
        }
        self.root = root
        do throws(PDFSyntaxError) {
            catalog = try file.catalog(in: 0)
        } catch {
            throw PDFError(error)
        }
        guard !catalog.hasDuplicates else { throw PDFError(.damaged, "the catalog of the PDF has a key twice") }
        guard catalog["NeedsRendering"] != .boolean(true) else {
            throw PDFError(.unsupported, "the PDF is a dynamic XFA form, whose pages exist only in a certain viewer")
        }
        // A cross-reference stream's own number is not always among the entries, nor below /Size.
        let highest = file.sections.reduce(0) { highest, section in
            let size = section.trailer["Size"].integer ?? 1
            return max(highest, size - 1, Int(section.entries.keys.max() ?? 0), section.streamNumber ?? 0)
        }
        // Table C.1, and some numbers for the update.
        guard highest < 8_388_607 - 64 else { throw PDFError(.tooComplex, "the PDF has no object numbers left") }
        firstFreeNumber = highest + 1
    }

    /// Returns `value` itself, or the object that it refers to.
    func resolved(_ value: PDFValue) throws(PDFError) -> PDFValue {
        do throws(PDFSyntaxError) { return try file.resolved(value, in: 0) } catch { throw PDFError(error) }
    }

    /// The dictionary behind `value`; nil when there is nothing, or something else, a stream too.
    func dictionary(_ value: PDFValue) throws(PDFError) -> PDFDictionary? {
        guard case .reference(let reference) = value else { return value.dictionary }
        do throws(PDFSyntaxError) {
            let object = try file.object(reference.number, in: 0)
            return object?.reference == reference && object?.stream == nil ? object?.value.dictionary : nil
        } catch {
            throw PDFError(error)
        }
    }

    /// The items of an array behind `value`; none when there is nothing.
    /// - Throws: ``PDFError`` of kind `damaged` when there is something else.
    func array(_ value: PDFValue, _ what: String) throws(PDFError) -> [PDFValue] {
        let resolved = try resolved(value)
        if resolved == .null { return [] }
        guard let items = resolved.array else { throw PDFError(.damaged, "\(what) of the PDF is no array") }
        return items
    }

    /// Returns an array of numbers, each written here or elsewhere; nil if it is not one.
    func numbers(_ value: PDFValue) throws(PDFError) -> [Double]? {
        guard let items = try resolved(value).array, items.count <= 16 else { return nil }
        var numbers: [Double] = []
        for item in items {
            guard let number = try resolved(item).number, number.isFinite else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// The number of object numbers that are tried for new objects.
    private static let candidates = 256

    /// Numbers for new objects, and how often each of `others` is referred to, in one pass over the document.
    ///
    /// A document may refer to objects that it does not have, which stand for null (§7.3.10). Such a number is skipped,
    /// because the new object would become part of what the document shows.
    func freeNumbers(_ count: Int, counting others: Set<Int>) throws(PDFError) -> (free: [Int], census: PDFFile.Census)
    {
        let candidates = firstFreeNumber..<firstFreeNumber + Self.candidates
        let census: PDFFile.Census
        do throws(PDFSyntaxError) {
            census = try file.census(of: 0, counting: others.union(candidates))
        } catch {
            throw PDFError(error)
        }
        let free = candidates.filter { census.references[$0] == nil }
        guard free.count >= count else {
            throw PDFError(.damaged, "the PDF refers to more than a hundred objects that it does not have")
        }
        return (free, census)
    }
}
