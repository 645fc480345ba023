//! Names of zones as calendars write them.

use chrono_tz::Tz;

/// The names that Microsoft's products write, for the zones that most people live in (Unicode CLDR,
/// `windowsZones`).
const WINDOWS: &[(&str, Tz)] = &[
    ("AUS Central Standard Time", Tz::Australia__Darwin),
    ("AUS Eastern Standard Time", Tz::Australia__Sydney),
    ("Alaskan Standard Time", Tz::America__Anchorage),
    ("Arab Standard Time", Tz::Asia__Riyadh),
    ("Arabian Standard Time", Tz::Asia__Dubai),
    ("Argentina Standard Time", Tz::America__Argentina__Buenos_Aires),
    ("Atlantic Standard Time", Tz::America__Halifax),
    ("Bangladesh Standard Time", Tz::Asia__Dhaka),
    ("Canada Central Standard Time", Tz::America__Regina),
    ("Cen. Australia Standard Time", Tz::Australia__Adelaide),
    ("Central America Standard Time", Tz::America__Guatemala),
    ("Central Europe Standard Time", Tz::Europe__Budapest),
    ("Central European Standard Time", Tz::Europe__Warsaw),
    ("Central Standard Time", Tz::America__Chicago),
    ("Central Standard Time (Mexico)", Tz::America__Mexico_City),
    ("China Standard Time", Tz::Asia__Shanghai),
    ("Coordinated Universal Time", Tz::UTC),
    ("E. Africa Standard Time", Tz::Africa__Nairobi),
    ("E. Australia Standard Time", Tz::Australia__Brisbane),
    ("E. Europe Standard Time", Tz::Europe__Chisinau),
    ("E. South America Standard Time", Tz::America__Sao_Paulo),
    ("Eastern Standard Time", Tz::America__New_York),
    ("Egypt Standard Time", Tz::Africa__Cairo),
    ("FLE Standard Time", Tz::Europe__Kyiv),
    ("GMT Standard Time", Tz::Europe__London),
    ("GTB Standard Time", Tz::Europe__Bucharest),
    ("Greenwich Standard Time", Tz::Atlantic__Reykjavik),
    ("Hawaiian Standard Time", Tz::Pacific__Honolulu),
    ("India Standard Time", Tz::Asia__Kolkata),
    ("Iran Standard Time", Tz::Asia__Tehran),
    ("Israel Standard Time", Tz::Asia__Jerusalem),
    ("Korea Standard Time", Tz::Asia__Seoul),
    ("Lord Howe Standard Time", Tz::Australia__Lord_Howe),
    ("Morocco Standard Time", Tz::Africa__Casablanca),
    ("Mountain Standard Time", Tz::America__Denver),
    ("Nepal Standard Time", Tz::Asia__Kathmandu),
    ("New Zealand Standard Time", Tz::Pacific__Auckland),
    ("Newfoundland Standard Time", Tz::America__St_Johns),
    ("Pacific SA Standard Time", Tz::America__Santiago),
    ("Pacific Standard Time", Tz::America__Los_Angeles),
    ("Pakistan Standard Time", Tz::Asia__Karachi),
    ("Romance Standard Time", Tz::Europe__Paris),
    ("Russian Standard Time", Tz::Europe__Moscow),
    ("SA Pacific Standard Time", Tz::America__Bogota),
    ("SE Asia Standard Time", Tz::Asia__Bangkok),
    ("Singapore Standard Time", Tz::Asia__Singapore),
    ("South Africa Standard Time", Tz::Africa__Johannesburg),
    ("Sri Lanka Standard Time", Tz::Asia__Colombo),
    ("Taipei Standard Time", Tz::Asia__Taipei),
    ("Tasmania Standard Time", Tz::Australia__Hobart),
    ("Tokyo Standard Time", Tz::Asia__Tokyo),
    ("Turkey Standard Time", Tz::Europe__Istanbul),
    ("US Eastern Standard Time", Tz::America__Indiana__Indianapolis),
    ("US Mountain Standard Time", Tz::America__Phoenix),
    ("UTC", Tz::UTC),
    ("W. Australia Standard Time", Tz::Australia__Perth),
    ("W. Central Africa Standard Time", Tz::Africa__Lagos),
    ("W. Europe Standard Time", Tz::Europe__Berlin),
    ("West Asia Standard Time", Tz::Asia__Tashkent),
    ("West Pacific Standard Time", Tz::Pacific__Port_Moresby),
];

/// The zone that a calendar calls `name`: by its IANA name, bare or at the end of a path as Mozilla's and Evolution's
/// products write it, or by its name at Microsoft's.
pub(super) fn zone(name: &str) -> Option<Tz> {
    let name = name.trim().trim_matches('"');
    let mut path = name;
    loop {
        if let Ok(zone) = path.parse::<Tz>() {
            return Some(zone);
        }
        match path.split_once('/') {
            Some((_, rest)) => path = rest,
            None => break,
        }
    }
    WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name)).map(|(_, zone)| *zone)
}
