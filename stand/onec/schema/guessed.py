"""Objects of Trade Management 11 that the recording does not hold.

Tasks and planned interactions follow vendor code of БСП. ``Document_СчетНаОплатуКлиенту`` follows a fragment of another
base's ``$metadata`` found in public code; the rest follows field names in public OData clients and general knowledge of
the configuration. Names differ by release.

Known liberty: in the configuration the settlements register is split by a key of analytics only
(``АналитикаУчетаПоПартнерам_Key``, a record of ``Catalog_КлючиАналитикиУчетаПоПартнерам``); here its parts (partner,
counterparty, contract, organisation) stand beside it as dimensions, and lead to the same rows.
"""

from stand.onec.schema.common import CONTACT_KINDS, PLANNED, TASK
from stand.onec.schema.guessed_documents import GUESSED_DOCUMENTS

GUESSED_CATALOGS = """\
Catalog_Партнеры
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:s11
    Parent_Key:@Catalog_Партнеры DeletionMark:b БизнесРегион_Key:g ГруппаДоступа_Key:g ДатаРегистрации:d
    ДополнительнаяИнформация:t Клиент:b Комментарий:t Конкурент:b НаименованиеПолное:t
    ОбслуживаетсяТорговымиПредставителями:b ОсновнойМенеджер_Key:@Catalog_Пользователи Поставщик:b
    ПрочиеОтношения:b ЮрФизЛицо:e Перевозчик:b Пол:e ДатаРождения:d
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 ВидДляСписка_Key:g ДействуетС:d
      Значение:t
  +ДополнительныеРеквизиты
      Свойство_Key:g Значение:*Catalog_Контрагенты|Catalog_Номенклатура ТекстоваяСтрока:t

Catalog_КонтактныеЛицаПартнеров
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Owner_Key:@Catalog_Партнеры
    DeletionMark:b Автор_Key:@Catalog_Пользователи ДатаПрекращенияСвязи:d ДатаРегистрацииСвязи:d ДатаРождения:d
    ДолжностьПоВизитке:s100 Комментарий:t Пол:e Фамилия:s100 Имя:s100 Отчество:s100
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 ВидДляСписка_Key:g ДействуетС:d
      Значение:t
  +РолиКонтактногоЛица
      РольКонтактногоЛица_Key:g

Catalog_ДоговорыКонтрагентов
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150 DeletionMark:b
    БанковскийСчет_Key:g БанковскийСчетКонтрагента_Key:g ВалютаВзаиморасчетов_Key:@Catalog_Валюты Дата:d
    ДатаНачалаДействия:d ДатаОкончанияДействия:d ДопустимаяСуммаЗадолженности:n Комментарий:t
    Контрагент_Key:@Catalog_Контрагенты Менеджер_Key:@Catalog_Пользователи НаименованиеДляПечати:t Номер:s50
    ОграничиватьСуммуЗадолженности:b Организация_Key:@Catalog_Организации Партнер_Key:@Catalog_Партнеры
    Подразделение_Key:g ПорядокРасчетов:e Согласован:b Статус:e Сумма:n ТипДоговора:e ХозяйственнаяОперация:e

Catalog_КлючиАналитикиУчетаПоПартнерам
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150 DeletionMark:b
    Партнер_Key:@Catalog_Партнеры Организация_Key:@Catalog_Организации Контрагент:*Catalog_Контрагенты
    Договор:*Catalog_ДоговорыКонтрагентов НаправлениеДеятельности_Key:g

Catalog_ХарактеристикиНоменклатуры
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s150 Owner:*Catalog_Номенклатура
    DeletionMark:b НаименованиеПолное:t
  +ДополнительныеРеквизиты
      Свойство_Key:g Значение:*Catalog_Контрагенты|Catalog_Номенклатура ТекстоваяСтрока:t

Catalog_УпаковкиЕдиницыИзмерения
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:f4
    Owner:*Catalog_Номенклатура Parent_Key:@Catalog_УпаковкиЕдиницыИзмерения DeletionMark:b Вес:n Высота:n
    Глубина:n ЕдиницаИзмерения_Key:@Catalog_УпаковкиЕдиницыИзмерения Знаменатель:n КоличествоУпаковок:n
    МеждународноеСокращение:s3 НаименованиеПолное:t Объем:n ТипИзмеряемойВеличины:e ТипУпаковки:e Числитель:n Ширина:n

Catalog_СтавкиНДС
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s50 DeletionMark:b
    ПеречислениеСтавкаНДС:e Ставка:n

Catalog_Валюты
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s10 Code:f3 DeletionMark:b
    ЗагружаетсяИзИнтернета:b НаименованиеПолное:s50 Наценка:n ОсновнаяВалюта_Key:@Catalog_Валюты ПараметрыПрописи:s200
    СпособУстановкиКурса:e ФормулаРасчетаКурса:s100

Catalog_Склады
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Parent_Key:@Catalog_Склады IsFolder:b
    DeletionMark:b ИспользоватьОрдернуюСхемуПриОтгрузке:b Подразделение_Key:g ТипСклада:e
    ТекущаяДолжностьОтветственного:s70 ТекущийОтветственный_Key:g
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 Значение:t

Catalog_ВидыЦен
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
    ВалютаЦены_Key:@Catalog_Валюты Идентификатор:s30 ИспользоватьПриПродаже:b Округлять:b СпособЗаданияЦены:e Статус:e
    ЦенаВключаетНДС:b РеквизитДопУпорядочивания:i64

Catalog_Организации
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 Code:f9 DeletionMark:b
    ГоловнаяОрганизация_Key:@Catalog_Организации ИНН:s12 КПП:s9 КодПоОКПО:s10 НаименованиеПолное:t
    НаименованиеСокращенное:s100 ОбособленноеПодразделение:b ОГРН:s15 Префикс:s2 ЮридическоеФизическоеЛицо:e ЮрФизЛицо:e
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 ВидДляСписка_Key:g ДействуетС:d
      Значение:t

Catalog_Пользователи
    Ref_Key:g Predefined:b PredefinedDataName:s150 DataVersion:s Description:s100 DeletionMark:b
    ИдентификаторПользователяИБ:g Комментарий:t Недействителен:b Подготовлен:b Подразделение_Key:g Служебный:b
    ФизическоеЛицо_Key:g
  +КонтактнаяИнформация
      Тип:e Вид_Key:g Представление:s500 ЗначенияПолей:t Страна:s100 Регион:s50 Город:s50 АдресЭП:s100
      ДоменноеИмяСервера:s100 НомерТелефона:s20 НомерТелефонаБезКодов:s20 Значение:t
"""

_CONTACTS = "Catalog_Партнеры|Catalog_КонтактныеЛицаПартнеров"
_SUBJECTS = f"{_CONTACTS}|Catalog_Контрагенты|Document_ЗаказКлиента|Document_СчетНаОплатуКлиенту"
GUESSED_TASKS = f"{TASK.format(subjects=_SUBJECTS)}\n{PLANNED.format(contacts=_CONTACTS)}"
GUESSED = f"{GUESSED_CATALOGS}\n{CONTACT_KINDS}\n{GUESSED_DOCUMENTS}\n{GUESSED_TASKS}"
