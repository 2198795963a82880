public import InternetMessage
public import Octets

/// A message and what its signed S/MIME objects enclose, opened one after the other (RFC 8551 §3.5.2, RFC 2634 §1.1).
///
/// An object that is merely attached as a file, such as `contract.pdf.p7m`, is no layer of the mail and stays closed.
public struct MessageLayers: Sendable {
    /// The message as received.
    public let message: Message
    /// The messages within the objects, each behind the one that it was found in.
    public let enclosed: [Message]
    /// The objects that could not be opened and the reasons, a sentence each.
    public let remarks: [String]
    /// The place where each of ``enclosed`` was found.
    private let places: [Place]

    private struct Place: Hashable {
        /// 0 for the message itself, n for the n-th enclosed one.
        let layer: Int
        let path: Entity.Path
    }

    /// Objects that are opened; nobody wraps a mail as often.
    static let most = 16

    /// - Parameters:
    ///   - inspection: Takes an object apart.
    ///   - scratch: The storage for the octets of large objects.
    /// - Throws: ``Failure`` when octets cannot be kept. What an attacker wrote is no failure but a remark.
    public init(
        opening message: Message, _ inspection: any SignatureInspection, _ scratch: any OctetCollectorMaking
    ) throws(Failure) {
        self.message = message
        var enclosed: [Message] = []
        var remarks: [String] = []
        var places: [Place] = []
        var layer = 0
        while layer <= enclosed.count {
            for object in Self.objects(in: layer == 0 ? message.root : enclosed[layer - 1].root) {
                guard enclosed.count < Self.most else {
                    remarks.append(
                        "the message contains more S/MIME objects than SES opens: the rest was not examined")
                    break
                }
                switch try Self.content(of: object, inspection, scratch) {
                case .success(let content):
                    enclosed.append(content)
                    places.append(Place(layer: layer, path: object.path))
                case .failure(let obstacle):
                    remarks.append(
                        "an S/MIME object could not be opened, so its content was not examined: " + obstacle.words)
                }
            }
            layer += 1
        }
        self.enclosed = enclosed
        self.remarks = remarks
        self.places = places
    }

    /// The message and all enclosed ones, in the order that ``Workflows/AttachmentFacts/layer`` counts.
    var all: [Message] { [message] + enclosed }

    /// Returns the content of the object at `path` of the outermost message; nil if there is none, or it could not be
    /// opened.
    func content(at path: Entity.Path) -> Entity? {
        places.firstIndex(of: Place(layer: 0, path: path)).map { enclosed[$0].root }
    }

    /// Returns sentences about what is around a layer: readers who take an outer message apart in another way find no
    /// such layer, or another one in its place. Empty for the message itself.
    func doubts(around layer: Int) -> [String] {
        var doubts: [String] = []
        var layer = layer
        while layer > 0 {
            let place = places[layer - 1]
            layer = place.layer
            let outer = all[layer]
            doubts += outer.differingReadings + outer.structuralDoubts(at: place.path)
            if let fault = outer.root.entity(at: place.path)?.transferEncodingFault {
                doubts.append("the base64 of an S/MIME object is damaged: \(fault)")
            }
        }
        return doubts.each
    }

    // MARK: - Objects

    /// The reason why an object stays closed.
    private struct Obstacle: Error {
        let words: String
    }

    /// The signed objects that are layers of the mail: the whole of it, the content of a multipart/signed, or a part.
    private static func objects(in root: Entity) -> [Entity] {
        let wrapped = root.walk(.ownParts).compactMap { entity -> Entity.Path? in
            entity.contentType.mediaType == "multipart/signed" ? entity.path + [0] : nil
        }
        return root.walk(.ownParts).filter { entity in
            guard case .leaf = entity.content, case .signedData = SMIMEForm.of(entity) else { return false }
            return entity.path.isEmpty || wrapped.contains(entity.path) || !entity.isAttachedFile
        }
    }

    private static func content(
        of object: Entity, _ inspection: any SignatureInspection, _ scratch: any OctetCollectorMaking
    ) throws(Failure) -> Result<Message, Obstacle> {
        let octets = try AttachmentOctets(of: object, scratch).content
        let source: (any OctetSource)?
        do {
            source = try inspection.content(of: octets)
        } catch {
            if error.permanence == .transient { throw error }
            return .failure(Obstacle(words: error.summary))
        }
        guard let source, source.count > 0 else { return .failure(Obstacle(words: "it encloses nothing")) }
        let content = try scratch.oneRun(of: source, "an opened S/MIME object cannot be kept in one piece")
        do {
            return .success(try Message(reading: content))
        } catch {
            return .failure(Obstacle(words: "\(error)"))
        }
    }
}
