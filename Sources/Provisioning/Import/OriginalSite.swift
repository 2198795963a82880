import FoundationEssentials
import Glibc
import HostProcess
import Octets

/// The files of an original installation, found below a directory.
struct OriginalSite {
    /// `ses.xml`; nil if there is none.
    private(set) var ses: String?
    /// Apache James' `config.xml` with the block for outgoing mail; nil if there is none.
    private(set) var james: String?
    /// Java's key store with the authorities of servers.
    private(set) var trust: String?
    /// PKCS #12 files.
    private(set) var keys: [String] = []

    /// Directories deeper than this are not searched.
    private static let maximumDepth = 6
    /// Files that are looked at, at most.
    private static let maximumFiles = 50_000

    /// Looks below `directory`; of several files of one kind the one nearest to it is taken.
    /// - Throws: ``ProgramError`` with 66 if there is no such directory.
    init(in directory: String) throws(ProgramError) {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else {
            throw ProgramError(.noInput, "\(directory) is no directory: name the one that the original is installed in")
        }
        var waiting = [(path: directory, depth: 0)]
        var seen = 0
        while !waiting.isEmpty, seen < Self.maximumFiles {
            let (path, depth) = waiting.removeFirst()
            // A directory that may not be read holds nothing for us.
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
                seen += 1
                let whole = path + "/" + name
                let type = (try? FileManager.default.attributesOfItem(atPath: whole))?[.type] as? FileAttributeType
                if type == .typeDirectory {
                    if depth < Self.maximumDepth { waiting.append((whole, depth + 1)) }
                } else if type == .typeRegular {
                    note(name, whole)
                }
            }
        }
    }

    private mutating func note(_ name: String, _ path: String) {
        switch name.lowercased() {
        case "ses.xml": ses = ses ?? path
        case "config.xml": if james == nil, Self.isJames(path) { james = path }
        case "jssecacerts": trust = trust ?? path
        case let name where name.hasSuffix(".pfx") || name.hasSuffix(".p12"): keys.append(path)
        default: break
        }
    }

    private static func isJames(_ path: String) -> Bool {
        guard case .success(let octets) = SmallFile.read(path) else { return false }
        return String(decoding: octets.array, as: UTF8.self).contains("RemoteDelivery")
    }
}
